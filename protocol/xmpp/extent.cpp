#include "protocol/xmpp/extent.hpp"

namespace parley::xmpp {

size_t extent_of_tag(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '>')
      return i + 1;
    if (c == '"' || c == '\'') {
      i = text.find(c, i + 1);
      if (i == text.npos)
        return no_extent;
    }
  }
  return no_extent;
}

size_t extent_of_element(std::string_view text) noexcept {
  if (!text.empty() && text.front() != '<')
    return 0;
  size_t depth = 0;
  for (size_t at = 0; at != text.npos && at + 1 < text.size();) {
    const char second = text[at + 1];
    if (second == '!' || second == '?')
      return 0;
    const auto tag = extent_of_tag(text.substr(at));
    if (tag == no_extent)
      return no_extent;
    const auto end = at + tag;
    if (second != '/')
      depth += text[end - 2] != '/' ? 1 : 0;
    else if (depth > 0)
      --depth;
    if (depth == 0)
      return end;
    at = text.find('<', end);
  }
  return no_extent;
}

} // namespace parley::xmpp
