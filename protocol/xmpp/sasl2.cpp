#include "protocol/xmpp/sasl2.hpp"

#include <initializer_list>
#include <utility>

#include "protocol/defaults.hpp"
#include "protocol/xmpp/dialogue.hpp"
#include "protocol/xmpp/octets.hpp"

namespace parley::xmpp {

namespace {

/// Octets of the part of an endpoint's name that tells clients apart.
constexpr size_t mark_bytes = 9;

/// The element with these attributes, and nothing else: who sent it is a
/// stranger.
element bare(const element& x, std::initializer_list<const char*> names) {
  element y;
  y.name = x.name;
  y.xmlns = x.xmlns;
  for (const auto* name : names)
    if (x.has(name))
      y.attributes.push_back({{}, name, std::string{x[name]}});
  return y;
}

size_t size_of(const std::optional<element>& x) noexcept {
  size_t n = 0;
  if (x)
    for (const auto& a : x->attributes)
      n += sizeof(a) + a.value.capacity();
  return n;
}

} // namespace

size_t whole_sign_in::memory() const noexcept {
  return sizeof(*this) + size_of(resume) + size_of(enable) + tag.capacity()
    + client.capacity() + proof.capacity() + failed.capacity();
}

whole_sign_in read_whole(const element& authenticate) {
  constexpr auto management = dialogue::stream_management;
  whole_sign_in x;
  if (const auto* agent = authenticate.find("user-agent", ns::sasl2))
    x.client = (*agent)["id"];
  if (const auto* resume = authenticate.find("resume", management))
    x.resume = bare(*resume, {"previd", "h"});
  const auto* bind = authenticate.find("bind", ns::bind2);
  if (!bind)
    return x;
  x.binds = true;
  if (const auto* tag = bind->find("tag", ns::bind2))
    x.tag = tag->inner_text();
  if (const auto* enable = bind->find("enable", management))
    x.enable = bare(*enable, {"resume"});
  x.wants_copies = bind->find("enable", ns::carbons) != nullptr;
  x.is_inactive = bind->find("inactive", ns::client_state) != nullptr;
  return x;
}

endpoint_name endpoint_for(const whole_sign_in& x, const user_address& user) {
  if (x.tag.empty() && x.client.empty())
    return {};
  std::string mark;
  if (x.client.empty()) {
    mark = random_name(defaults::made_up_name_bytes);
  } else {
    // Of each account another one, or accounts of one person could be told.
    auto whose = user.str();
    whose += '\0';
    whose += x.client;
    mark = to_base64(sha1(whose).substr(0, mark_bytes));
  }
  if (auto name = endpoint_name::parse(x.tag + "/" + mark);
      name && !x.tag.empty())
    return std::move(*name);
  auto name = endpoint_name::parse(mark);
  return name ? std::move(*name) : endpoint_name{};
}

void append_authentication(std::string& out, std::string_view mechanisms) {
  out += "<authentication";
  append_attribute(out, "xmlns", ns::sasl2);
  out += '>';
  out += mechanisms;
  out += "<inline><bind";
  append_attribute(out, "xmlns", ns::bind2);
  out += "><inline>";
  for (const auto feature :
    {ns::carbons, ns::client_state, dialogue::stream_management}) {
    out += "<feature";
    append_attribute(out, "var", feature);
    out += "/>";
  }
  out += "</inline></bind><sm";
  append_attribute(out, "xmlns", dialogue::stream_management);
  out += "/></inline></authentication>";
}

void append_success(
  std::string& out, const whole_sign_in& x, std::string_view identity) {
  out += "<success";
  append_attribute(out, "xmlns", ns::sasl2);
  out += '>';
  if (!x.proof.empty())
    out += "<additional-data>" + x.proof + "</additional-data>";
  out += "<authorization-identifier>";
  append_escaped(out, identity);
  out += "</authorization-identifier>";
  out += x.failed;
}

} // namespace parley::xmpp
