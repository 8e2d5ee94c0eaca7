#include "protocol/address.hpp"

#include "protocol/address_hash.hpp"
#include "protocol/defaults.hpp"
#include "protocol/unicode.hpp"

#include <stringprep.h>

#include <algorithm>
#include <array>

namespace parley {

namespace {

/// How a part of an address is prepared.
enum class part { node, domain, endpoint };

/// Whether preparing leaves the character as it is, in any part.
constexpr bool is_plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
    || c == '_' || c == '-';
}

constexpr auto plain = [] {
  std::array<bool, 256> x{};
  for (size_t c = 0; c < x.size(); ++c)
    x[c] = is_plain(static_cast<unsigned char>(c));
  return x;
}();

/// Whether preparing would change nothing, for sure.
bool is_prepared(std::string_view text) {
  return !text.empty() && text.size() <= defaults::address_part_max
    && std::all_of(text.begin(), text.end(),
      [](char c) { return plain[static_cast<unsigned char>(c)]; });
}

/// Unicode 3.2, on which stringprep rests, knows neither newer scripts nor
/// emoji; RFC 3454, 7 lets them stand in what is compared.
constexpr auto unassigned_allowed = static_cast<Stringprep_profile_flags>(0);

const Stringprep_profile* profile_of(part what) {
  switch (what) {
  case part::node:
    return stringprep_xmpp_nodeprep;
  case part::domain:
    return stringprep_nameprep;
  case part::endpoint:
    break;
  }
  return stringprep_xmpp_resourceprep;
}

/// Empty if it cannot be prepared, or to nothing, or to too much.
std::string prepare_once(std::string_view text, part what) {
  // libidn takes strings that end with a zero.
  if (!is_utf8(text) || text.find('\0') != text.npos)
    return {};
  // Preparing may lengthen; what outgrows this is too long by far.
  std::array<char, 4 * defaults::address_text_max> buffer;
  if (text.size() >= buffer.size())
    return {};
  *std::copy(text.begin(), text.end(), buffer.begin()) = '\0';
  if (stringprep(
        buffer.data(), buffer.size(), unassigned_allowed, profile_of(what))
    != STRINGPREP_OK)
    return {};
  std::string x{buffer.data()};
  return x.size() <= defaults::address_part_max ? x : std::string{};
}

/// Empty also if preparing it again would change it: a few sequences are not
/// normal after one normalisation of Unicode 3.2 (its Corrigendum 5), and
/// what somebody is called must not depend on how often it was prepared.
std::string prepare(std::string_view text, part what) {
  auto x = prepare_once(text, what);
  bool is_ascii = std::all_of(x.begin(), x.end(),
    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return is_ascii || prepare_once(x, what) == x ? x : std::string{};
}

/// RFC 3490, 3.1: further characters that separate a domain's labels.
std::string with_ascii_dots(std::string_view text) {
  constexpr std::array<std::string_view, 3> dots{
    "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1"};
  std::string x;
  while (!text.empty()) {
    auto dot = std::find_if(dots.begin(), dots.end(),
      [&](auto one) { return text.starts_with(one); });
    if (dot == dots.end())
      x.push_back(text.front());
    else
      x.push_back('.');
    text.remove_prefix(dot == dots.end() ? 1 : dot->size());
  }
  return x;
}

bool has_empty_label(std::string_view domain) {
  return domain.front() == '.' || domain.back() == '.'
    || domain.find("..") != domain.npos;
}

/// Of ASCII, what host names have (RFC 6122, 2.2) and IP addresses.
bool is_domain_character(char c) {
  auto x = static_cast<unsigned char>(c);
  return x >= 0x80 || plain[x] || c == ':' || c == '[' || c == ']';
}

std::string prepare_domain(std::string_view text) {
  auto x = prepare(with_ascii_dots(text), part::domain);
  // RFC 6122, 2.2: the root's dot does not count.
  if (x.ends_with('.'))
    x.pop_back();
  if (x.empty() || has_empty_label(x)
    || !std::all_of(x.begin(), x.end(), is_domain_character))
    return {};
  return x;
}

tl::unexpected<failure> bad(std::string text) {
  return fail(errc::bad_address, std::move(text));
}

} // namespace

result<user_address> user_address::parse(std::string_view text) {
  if (text.size() > defaults::address_text_max)
    return bad("an address has at most 255 bytes a part");
  auto at = text.find('@');
  if (at == text.npos)
    return bad("an address is user@domain");
  auto domain = text.substr(at + 1);
  auto node = text.substr(0, at);
  // The fast path: nothing to prepare, nothing to put together.
  if (is_prepared(node) && is_prepared(domain) && !has_empty_label(domain))
    return from_prepared(std::string{text});
  if (domain.find_first_of("@/") != domain.npos)
    return bad("an address of a user is user@domain and no more");
  auto x = prepare(node, part::node);
  if (x.empty())
    return bad("the part before the @ is empty, too long or not allowed");
  auto host = prepare_domain(domain);
  if (host.empty())
    return bad("the domain is empty, too long or not allowed");
  return from_prepared(x + '@' + host);
}

user_address user_address::from_prepared(std::string text) {
  user_address x;
  if (text.empty())
    return x;
  auto h = address_hash(text);
  x.x_data = std::make_shared<const data>(data{std::move(text), h});
  return x;
}

const std::string& user_address::str() const noexcept {
  static const std::string none;
  return x_data ? x_data->text : none;
}

std::string_view user_address::node() const noexcept {
  std::string_view x = str();
  return x.substr(0, x.find('@'));
}

std::string_view user_address::domain() const noexcept {
  std::string_view x = str();
  auto at = x.find('@');
  return at == x.npos ? std::string_view{} : x.substr(at + 1);
}

result<endpoint_name> endpoint_name::parse(std::string_view text) {
  if (text.size() > defaults::address_text_max)
    return bad("the name of an endpoint has at most 255 bytes");
  auto x =
    is_prepared(text) ? std::string{text} : prepare(text, part::endpoint);
  if (x.empty())
    return bad("the name of the endpoint is empty, too long or not allowed");
  return from_prepared(std::move(x));
}

// RFC 6122, 2.1: the endpoint begins after the first slash and may hold more
// of them, and @ too.
result<address> address::parse(std::string_view text) {
  if (text.size() > defaults::address_text_max)
    return bad("an address has at most 255 bytes a part");
  auto slash = text.find('/');
  auto user = user_address::parse(text.substr(0, slash));
  if (!user)
    return tl::unexpected{std::move(user.error())};
  result<address> x;
  x->user = std::move(*user);
  if (slash == text.npos)
    return x;
  auto endpoint = endpoint_name::parse(text.substr(slash + 1));
  if (!endpoint)
    return tl::unexpected{std::move(endpoint.error())};
  x->endpoint = std::move(*endpoint);
  return x;
}

std::string address::str() const {
  return endpoint.empty() ? user.str() : user.str() + '/' + endpoint.str();
}

} // namespace parley
