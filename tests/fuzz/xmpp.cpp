#include "protocol/defaults.hpp"
#include "protocol/xmpp/defaults.hpp"
#include "protocol/xmpp/stanza_reader.hpp"
#include "tests/fuzz/input.hpp"

#include <algorithm>
#include <string>
#include <vector>

// A stream of XML from a stranger. The first byte says where it is cut in two;
// the rest is what comes, or, if it begins with no header, what comes in a
// stream that has begun.

using namespace parley;
using namespace parley::fuzz;
using namespace parley::xmpp;

namespace {

constexpr std::string_view opening =
  "<stream:stream xmlns='jabber:client' "
  "xmlns:stream='http://etherx.jabber.org/streams'>";

constexpr size_t bytes_max = 4096;

struct reading {
  std::vector<element> stanzas;
  std::string fault;
  bool ended = false;

  /// Of several faults in one piece of text expat may name another one first.
  bool operator==(const reading& y) const {
    return stanzas == y.stanzas && ended == y.ended
      && fault.empty() == y.fault.empty();
  }
};

/// How deep it is, and how many elements there are.
struct measure {
  size_t depth = 0;
  size_t elements = 0;
};

measure measure_of(const element& x) {
  measure m{1, 1};
  expect(x.attributes.size() <= defaults::xmpp_attributes_max,
    "attributes are bounded");
  bool text = false;
  for (const auto& c : x.children) {
    expect(!text || !c.is_text(), "no two texts follow each other");
    text = c.is_text();
    if (text)
      continue;
    const auto below = measure_of(c);
    m.depth = std::max(m.depth, below.depth + 1);
    m.elements += below.elements;
  }
  return m;
}

void check(const element& x) {
  const auto m = measure_of(x);
  expect(m.depth <= defaults::xmpp_depth_max, "depth is bounded");
  expect(m.elements <= defaults::xmpp_elements_max, "elements are bounded");
  std::string text;
  append_element(text, x, ns::client);
  stanza_reader reader{defaults::frame_max};
  const auto all = std::string{opening} + text;
  std::string_view bytes = all;
  expect(reader.next(bytes).has_value(), "a header is read");
  const auto again = reader.next(bytes);
  expect(again && *again, "what was written can be read");
  const auto* s = std::get_if<stanza_reader::stanza>(&**again);
  expect(s && s->tag == x, "what was written is read the same");
}

reading read(std::vector<std::string_view> pieces) {
  stanza_reader reader{bytes_max};
  reading x;
  for (auto bytes : pieces)
    while (x.fault.empty()) {
      auto found = reader.next(bytes);
      expect(reader.memory() < 16 * bytes_max, "memory is bounded");
      if (!found) {
        x.fault = found.error().condition;
        expect(!x.fault.empty(), "a fault has a name");
      } else if (!*found) {
        expect(bytes.empty(), "all is taken");
        break;
      } else if (auto* s = std::get_if<stanza_reader::stanza>(&**found)) {
        expect(!x.ended, "nothing follows the end");
        x.stanzas.push_back(std::move(s->tag));
      } else if (std::holds_alternative<stanza_reader::end>(**found)) {
        x.ended = true;
      }
    }
  return x;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  input in{data, size};
  const auto at = in.byte();
  std::string all{in.rest()};
  if (!all.starts_with("<?xml") && !all.starts_with("<stream"))
    all = std::string{opening} + all;
  const std::string_view bytes = all;
  const auto whole = read({bytes});
  for (const auto& s : whole.stanzas)
    check(s);
  const auto cut = bytes.empty() ? 0 : at * bytes.size() / 256;
  expect(read({bytes.substr(0, cut), bytes.substr(cut)}) == whole,
    "cut in two it reads the same");
  return 0;
}
