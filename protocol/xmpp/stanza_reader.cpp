#include "protocol/xmpp/stanza_reader.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include <expat.h>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/extent.hpp"

// Null, and in no header, where expat is older than Debian's 2.5.0-1+deb12u2,
// which never defers.
extern "C" [[gnu::weak]] XML_Bool XML_SetReparseDeferralEnabled(
  XML_Parser parser, XML_Bool enabled);

namespace parley::xmpp {

namespace {

/// Parts the pieces of a name; no XML has it.
constexpr char separator = '\x01';

constexpr std::string_view blanks = " \t\r\n";

/// Around elements that stand for themselves; a client cannot end it.
constexpr const char* no_root = "<x>";

/// Bytes that a parser holds, about, with a small stanza in it.
constexpr size_t parser_bytes = 12 * 1024;

/// Keys expat's tables; it would ask the system for one per parser otherwise.
unsigned long hash_salt() {
  static const unsigned long salt = [] {
    std::random_device random;
    return static_cast<unsigned long>(random()) << 32 | random() | 1;
  }();
  return salt;
}

struct qualified {
  std::string_view xmlns;
  std::string_view name;
  std::string_view prefix;
};

/// "uri SEP name SEP prefix", "uri SEP name" or "name".
qualified split(std::string_view x) noexcept {
  const auto first = x.find(separator);
  if (first == x.npos)
    return {{}, x, {}};
  qualified q;
  q.xmlns = x.substr(0, first);
  q.name = x.substr(first + 1);
  if (const auto second = q.name.find(separator); second != q.name.npos) {
    q.prefix = q.name.substr(second + 1);
    q.name = q.name.substr(0, second);
  }
  return q;
}

stream_fault explain(XML_Error code) {
  const auto text = [code] { return std::string{XML_ErrorString(code)}; };
  switch (code) {
  case XML_ERROR_UNDEFINED_ENTITY:
    return {"restricted-xml", "only the five entities of XML are known"};
  case XML_ERROR_UNKNOWN_ENCODING:
  case XML_ERROR_INCORRECT_ENCODING:
    return {"unsupported-encoding", "a stream is in UTF-8"};
  case XML_ERROR_UNBOUND_PREFIX:
    return {"bad-namespace-prefix", text()};
  case XML_ERROR_NO_MEMORY:
    return {"resource-constraint", text()};
  default:
    return {"not-well-formed", text()};
  }
}

} // namespace

/// One expat parser and what it has read: one event. After a stanza that ended
/// with the bytes it was given it stands in the root again, as it did before,
/// and goes on in any stream with the same one. Else it has read beyond, and is
/// reset; so it is after a while, for it keeps the names that it has met.
class stanza_reader::parser {
public:
  parser() : x_expat(XML_ParserCreateNS("UTF-8", separator)) {}
  ~parser() { XML_ParserFree(x_expat); }
  parser(const parser&) = delete;
  parser& operator=(const parser&) = delete;

  /// One of this thread's, ready for a stream's header or, with the root of a
  /// stream, for what stands in it.
  static std::unique_ptr<parser> take(const std::string& root) {
    auto x = std::exchange(spare(), nullptr);
    if (!x)
      x = std::make_unique<parser>();
    if (x->stands_in(root))
      x->go_on();
    else
      x->begin(root);
    return x;
  }

  static void give_back(std::unique_ptr<parser> x) {
    if (!x)
      return;
    // What a big stanza left in it is not kept.
    if (x->fed() <= defaults::xmpp_parser_kept_bytes)
      spare() = std::move(x);
  }

  /// Bytes that were used; all of them, unless it is done.
  size_t feed(std::string_view bytes) {
    size_t used = 0;
    // A guess where it ends, so as not to read beyond.
    auto end = fed() == 0 ? extent_of_element(bytes) : no_extent;
    while (used < bytes.size() && !is_over()) {
      if (used >= end)
        end = no_extent;
      const auto slice = bytes.substr(
        used, std::min(defaults::xmpp_slice_bytes, std::max(end, used) - used));
      x_heard = false;
      used += feed_slice(slice);
      x_quiet = x_heard ? 0 : x_quiet + slice.size();
      if (x_quiet > defaults::xmpp_tag_max && !is_over())
        x_fault = stream_fault{"policy-violation",
          "a tag has at most " + std::to_string(defaults::xmpp_tag_max)
            + " bytes"};
    }
    return used;
  }

  /// Bytes that what was read takes.
  size_t held() const noexcept { return x_held; }

  std::optional<stream_fault>& fault() noexcept { return x_fault; }
  std::optional<event>& found() noexcept { return x_event; }
  const std::string& root() const noexcept { return x_root; }

  /// Bytes of the peer that belong to this event, or were behind it.
  size_t fed() const noexcept { return x_given - x_skipped; }

private:
  static std::unique_ptr<parser>& spare() {
    thread_local std::unique_ptr<parser> x;
    return x;
  }

  size_t feed_slice(std::string_view bytes) {
    const auto before = x_given;
    x_given += bytes.size();
    const auto status = XML_Parse(
      x_expat, bytes.data(), static_cast<int>(bytes.size()), XML_FALSE);
    if (status != XML_STATUS_ERROR || x_fault)
      return bytes.size();
    const auto code = XML_GetErrorCode(x_expat);
    if (code == XML_ERROR_ABORTED && x_event)
      return std::min(bytes.size(), x_end > before ? x_end - before : 0);
    x_fault = explain(code);
    return bytes.size();
  }

  bool stands_in(const std::string& root) const noexcept {
    return x_is_clean && !root.empty() && root == x_begun_with
      && x_given <= defaults::xmpp_parser_kept_bytes;
  }

  void go_on() {
    x_event.reset();
    x_elements = 0;
    x_namespaces = 0;
    x_held = 0;
    x_quiet = 0;
    x_skipped = x_given;
    x_is_clean = false;
  }

  void begin(const std::string& root) {
    XML_ParserReset(x_expat, "UTF-8");
    XML_SetHashSalt(x_expat, hash_salt());
    XML_SetReturnNSTriplet(x_expat, 1);
    // What came whole is told at once.
    if (XML_SetReparseDeferralEnabled)
      XML_SetReparseDeferralEnabled(x_expat, XML_FALSE);
    x_fault.reset();
    x_event.reset();
    x_open.clear();
    x_root.clear();
    x_declarations.clear();
    x_elements = 0;
    x_namespaces = 0;
    x_held = 0;
    x_quiet = 0;
    x_given = root.size();
    x_skipped = root.size();
    x_end = 0;
    x_is_clean = false;
    x_begun_with = root;
    x_in_header = root.empty();
    XML_SetUserData(x_expat, this);
    if (!root.empty())
      XML_Parse(x_expat, root.data(), static_cast<int>(root.size()), XML_FALSE);
    XML_SetElementHandler(x_expat, on_start, on_end);
    XML_SetCharacterDataHandler(x_expat, on_text);
    XML_SetCommentHandler(x_expat, on_comment);
    XML_SetProcessingInstructionHandler(x_expat, on_instruction);
    XML_SetStartDoctypeDeclHandler(x_expat, on_doctype);
    XML_SetXmlDeclHandler(x_expat, on_declaration);
    XML_SetStartNamespaceDeclHandler(x_expat, on_namespace);
  }

  static parser& of(void* self) { return *static_cast<parser*>(self); }

  void refuse(std::string_view condition, std::string text) {
    if (!x_fault)
      x_fault = stream_fault{condition, std::move(text)};
    XML_StopParser(x_expat, XML_FALSE);
  }

  void finish(event what) {
    x_event = std::move(what);
    x_end = static_cast<size_t>(XML_GetCurrentByteIndex(x_expat))
      + static_cast<size_t>(XML_GetCurrentByteCount(x_expat));
    x_is_clean = x_end == x_given && std::holds_alternative<stanza>(*x_event);
    if (!x_is_clean)
      XML_StopParser(x_expat, XML_FALSE);
  }

  bool is_over() const noexcept { return x_fault || x_event; }

  static void on_namespace(void* self, const char* prefix, const char* uri) {
    auto& reader = of(self);
    if (uri && std::string_view{uri}.size() > defaults::xmpp_namespace_max)
      return reader.refuse(
        "policy-violation", "the name of a namespace is too long");
    if (!reader.x_in_header)
      return;
    auto& x = reader.x_declarations;
    x += prefix ? std::string{" xmlns:"} + prefix + "='" : " xmlns='";
    append_escaped(x, uri ? uri : "");
    x += '\'';
  }

  element read_tag(const char* name, const char** attributes) {
    element x;
    const auto q = split(name);
    x.name = q.name;
    x.xmlns = q.xmlns;
    x_held += sizeof(element) + q.name.size() + q.xmlns.size();
    x_namespaces += q.xmlns.size();
    const auto given = XML_GetSpecifiedAttributeCount(x_expat) / 2;
    x.attributes.reserve(
      std::min(static_cast<size_t>(given), defaults::xmpp_attributes_max));
    for (size_t n = 0; attributes[0]; attributes += 2, ++n) {
      if (n == defaults::xmpp_attributes_max) {
        refuse("policy-violation",
          "an element has more than "
            + std::to_string(defaults::xmpp_attributes_max) + " attributes");
        break;
      }
      const auto a = split(attributes[0]);
      x.attributes.push_back(
        {std::string{a.xmlns}, std::string{a.name}, attributes[1]});
      x_held += sizeof(attribute) + a.xmlns.size() + a.name.size()
        + x.attributes.back().value.size();
      x_namespaces += a.xmlns.size();
    }
    if (x_namespaces > defaults::xmpp_namespaces_max)
      refuse("policy-violation", "a stanza repeats long namespaces too often");
    return x;
  }

  static void on_start(void* self, const char* name, const char** attributes) {
    auto& x = of(self);
    x.x_heard = true;
    if (x.is_over())
      return;
    if (x.x_in_header) {
      const auto q = split(name);
      auto tag = x.read_tag(name, attributes);
      if (x.is_over())
        return;
      x.x_root = "<";
      if (!q.prefix.empty())
        x.x_root += std::string{q.prefix} + ":";
      x.x_root += std::string{q.name} + x.x_declarations + ">";
      if (x.x_root.size() > defaults::xmpp_root_max)
        return x.refuse(
          "policy-violation", "too many namespaces in the header");
      return x.finish(header{std::move(tag)});
    }
    if (x.x_open.size() >= defaults::xmpp_depth_max)
      return x.refuse("policy-violation",
        "elements are nested more than "
          + std::to_string(defaults::xmpp_depth_max) + " deep");
    if (++x.x_elements > defaults::xmpp_elements_max)
      return x.refuse("policy-violation",
        "a stanza has more than " + std::to_string(defaults::xmpp_elements_max)
          + " elements");
    x.x_open.push_back(x.read_tag(name, attributes));
  }

  static void on_end(void* self, const char*) {
    auto& x = of(self);
    x.x_heard = true;
    if (x.is_over())
      return;
    if (x.x_open.empty())
      return x.finish(end{});
    auto done = std::move(x.x_open.back());
    x.x_open.pop_back();
    if (x.x_open.empty())
      x.finish(stanza{std::move(done)});
    else
      x.x_open.back().children.push_back(std::move(done));
  }

  static void on_text(void* self, const char* data, int size) {
    auto& x = of(self);
    x.x_heard = true;
    if (x.is_over())
      return;
    const std::string_view text{data, static_cast<size_t>(size)};
    if (x.x_open.empty()) {
      if (text.find_first_not_of(blanks) != text.npos)
        x.refuse("bad-format", "there is text between stanzas");
      return;
    }
    auto& to = x.x_open.back().children;
    if (to.empty() || !to.back().is_text())
      to.emplace_back();
    to.back().text += text;
    x.x_held += text.size();
  }

  static void on_comment(void* self, const char*) {
    of(self).refuse("restricted-xml", "a stream has no comments");
  }

  static void on_instruction(void* self, const char*, const char*) {
    of(self).refuse(
      "restricted-xml", "a stream has no processing instructions");
  }

  static void on_doctype(
    void* self, const char*, const char*, const char*, int) {
    of(self).refuse("restricted-xml", "a stream has no document type");
  }

  static void on_declaration(
    void* self, const char*, const char* encoding, int) {
    std::string name = encoding ? encoding : "UTF-8";
    std::transform(name.begin(), name.end(), name.begin(),
      [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
    if (name != "UTF-8")
      of(self).refuse("unsupported-encoding", "a stream is in UTF-8");
  }

  XML_Parser x_expat;
  std::optional<stream_fault> x_fault;
  std::optional<event> x_event;
  /// The open elements below the root, the outermost first.
  std::vector<element> x_open;
  std::string x_root;
  std::string x_declarations;
  size_t x_elements = 0;
  /// Bytes of the namespaces of elements and attributes.
  size_t x_namespaces = 0;
  /// Bytes of elements, attributes and text.
  size_t x_held = 0;
  /// Bytes since a tag or some text was whole.
  size_t x_quiet = 0;
  bool x_heard = false;
  /// Bytes since it was reset: all that it was given, those before this event,
  /// and those up to its end.
  size_t x_given = 0;
  size_t x_skipped = 0;
  size_t x_end = 0;
  /// It stands in this root, nothing open but that, nothing read beyond.
  bool x_is_clean = false;
  std::string x_begun_with;
  bool x_in_header = true;
};

stanza_reader::stanza_reader(size_t bytes_max, kind what)
  : x_bytes_max(bytes_max), x_kind(what) {
  restart();
}

stanza_reader::~stanza_reader() = default;
stanza_reader::stanza_reader(stanza_reader&&) noexcept = default;
stanza_reader& stanza_reader::operator=(stanza_reader&&) noexcept = default;

void stanza_reader::restart() {
  x_parser.reset();
  x_root = x_kind == kind::elements ? no_root : "";
  x_bytes = 0;
  x_over = false;
}

stanza_reader::outcome stanza_reader::next(std::string_view& bytes) {
  if (x_over) {
    bytes = {};
    return std::nullopt;
  }
  if (!x_parser) {
    // Keep-alives, and what stands between stanzas.
    bytes.remove_prefix(
      std::min(bytes.find_first_not_of(blanks), bytes.size()));
    if (bytes.empty())
      return std::nullopt;
    x_parser = parser::take(x_root);
    x_bytes = 0;
  }
  auto x = read(bytes);
  if (!x || (*x && std::holds_alternative<end>(**x)))
    x_over = true;
  if (!x || *x)
    parser::give_back(std::move(x_parser));
  return x;
}

stanza_reader::outcome stanza_reader::read(std::string_view& bytes) {
  // No more than that is looked at.
  const auto room = x_bytes_max - std::min(x_bytes, x_bytes_max);
  const bool is_cut = bytes.size() > room;
  const auto used = x_parser->feed(bytes.substr(0, room));
  bytes.remove_prefix(used);
  x_bytes += used;
  if (auto& fault = x_parser->fault())
    return tl::unexpected{std::move(*fault)};
  if (auto& found = x_parser->found()) {
    if (x_kind == kind::elements && std::holds_alternative<end>(*found))
      return tl::unexpected{
        stream_fault{"not-well-formed", "an end tag without a start tag"}};
    if (std::holds_alternative<header>(*found))
      x_root = x_parser->root();
    return std::move(found);
  }
  if (is_cut)
    return tl::unexpected{stream_fault{"policy-violation",
      "a stanza has at most " + std::to_string(x_bytes_max) + " bytes here"}};
  return std::nullopt;
}

std::optional<element> parse_element(std::string_view text) {
  std::string_view opening = "<x xmlns='jabber:client'>";
  stanza_reader reader{std::max(text.size(), opening.size())};
  if (!reader.next(opening))
    return std::nullopt;
  auto found = reader.next(text);
  if (!found || !*found)
    return std::nullopt;
  auto* x = std::get_if<stanza_reader::stanza>(&**found);
  return x ? std::optional{std::move(x->tag)} : std::nullopt;
}

size_t stanza_reader::memory() const noexcept {
  const auto root =
    x_root.capacity() > std::string{}.capacity() ? x_root.capacity() : 0;
  return root + (x_parser ? parser_bytes + x_bytes + x_parser->held() : 0);
}

} // namespace parley::xmpp
