#include "protocol/xmpp/websocket.hpp"

#include <algorithm>
#include <utility>

#include "protocol/xmpp/element.hpp"

namespace parley::xmpp {

namespace {

/// The length of the first element of a text that was written here: no `<` and
/// no `>` stands in it that is none of a tag's. All of it, if it has no end.
size_t first_element(std::string_view text) noexcept {
  size_t depth = 0;
  for (size_t at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    const auto end = text.find('>', at);
    if (end == text.npos)
      break;
    if (text[at + 1] == '/')
      --depth;
    else if (text[end - 1] != '/')
      ++depth;
    at = end + 1;
    if (depth == 0)
      return at;
  }
  return text.size();
}

/// What an element takes from the stream around it. Only stanzas, and what is
/// the stream's own, do not say their namespace.
std::string inherited(std::string_view name) {
  std::string x;
  if (name.starts_with("stream:"))
    append_attribute(x, "xmlns:stream", ns::streams);
  else if (name == "iq" || name == "message" || name == "presence")
    append_attribute(x, "xmlns", ns::client);
  return x;
}

} // namespace

void append_messages(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto one = text.substr(0, first_element(text));
    text.remove_prefix(one.size());
    const auto name_end = std::min(one.find_first_of(" />", 1), one.size());
    const auto added = inherited(one.substr(1, name_end - 1));
    append_text_start(out, one.size() + added.size());
    out += one.substr(0, name_end);
    out += added;
    out += one.substr(name_end);
  }
}

bool websocket::open(
  std::string_view& bytes, bool is_encrypted, std::string& out) {
  const auto answer = x_handshake->take(bytes, is_encrypted);
  if (!answer)
    return false;
  out += answer->text;
  x_refused = !answer->is_upgrade;
  if (!x_refused)
    x_handshake.reset();
  return !x_refused;
}

void websocket::flush(std::string& out) {
  if (x_text.empty())
    return;
  if (!x_closed)
    append_messages(out, x_text);
  std::string{}.swap(x_text);
}

void websocket::close(close_code code, std::string& out) {
  flush(out);
  if (!std::exchange(x_closed, true))
    append_close(out, code);
}

size_t websocket::memory() const noexcept {
  return sizeof(*this) + frames.memory() + x_text.capacity()
    + (x_handshake ? sizeof(*x_handshake) + x_handshake->memory() : 0);
}

} // namespace parley::xmpp
