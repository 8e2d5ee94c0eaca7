#include <algorithm>
#include <memory>
#include <utility>

#include "protocol/xmpp/dialogue.hpp"

/// Who hides from whom, where an endpoint speaks past its roster: presence that
/// it directs itself, and what it says to whom its user blocks (XEP-0191, 3).
namespace parley::xmpp {

namespace {

constexpr std::string_view blocking_errors = "urn:xmpp:blocking:errors";

bool blocks_domains(const privacy& x) {
  return std::any_of(x.domains.begin(), x.domains.end(),
    [](const auto& d) { return d.second == approval::block; });
}

/// Sessions of one thread are told the same, one after another.
std::shared_ptr<const client_policies> shared_by_all(client_policies x) {
  thread_local std::shared_ptr<const client_policies> last;
  if (!last || *last != x)
    last = std::make_shared<const client_policies>(std::move(x));
  return last;
}

} // namespace

void dialogue::know_privacy() {
  if (!x_blocked && !std::exchange(x_privacy_asked, true))
    ask(set_privacy{}, {purpose::privacy, {}, {}});
}

void dialogue::heed_privacy(const parley::privacy& x) {
  x_sharing = x.sharing;
  x_domain_rules = nullptr;
  if (blocks_domains(x)) {
    parley::privacy rules;
    rules.allow = x.allow;
    rules.domains = x.domains;
    x_domain_rules = std::make_unique<const parley::privacy>(std::move(rules));
  }
  review_directed();
}

void dialogue::heed_policy(const policy_values& x) {
  client_policies told;
  if (x_policies)
    told = *x_policies;
  x_policy_shares = true;
  x_policy_overridden = false;
  for (const auto& [name, value] : x.values) {
    if (std::find(client_policy_names.begin(), client_policy_names.end(), name)
      != client_policy_names.end())
      told[name] = value;
    x_policy_shares &= name != "presence.sharing" || value == "on";
    x_policy_overridden |= name == "presence.sharing_override" && value == "on";
  }
  x_policies = shared_by_all(std::move(told));
  review_directed();
}

bool dialogue::is_shared() const noexcept {
  if (x_sharing == sharing::off)
    return false;
  return x_policy_shares || (x_policy_overridden && x_sharing == sharing::on);
}

bool dialogue::blocks(const user_address& who) const {
  return x_blocked && who != x_self.user
    && std::binary_search(x_blocked->begin(), x_blocked->end(), who);
}

bool dialogue::hides_from(const user_address& who) const {
  if (!is_shared() || blocks(who))
    return true;
  if (!x_domain_rules || who == x_self.user)
    return false;
  const auto& [allow, domains] =
    std::tie(x_domain_rules->allow, x_domain_rules->domains);
  return !std::binary_search(allow.begin(), allow.end(), who)
    && std::any_of(domains.begin(), domains.end(), [&who](const auto& d) {
         return d.first == who.domain() && d.second == approval::block;
       });
}

void dialogue::review_directed() {
  for (auto i = x_directed.begin(); i != x_directed.end();) {
    if (!hides_from(i->user)) {
      ++i;
      continue;
    }
    take_back(*i);
    i = x_directed.erase(i);
  }
}

bool dialogue::refuse_blocked(const element& x, const user_address& to) {
  if (!blocks(to))
    return false;
  // Errors, and answers to questions, are not answered.
  if (x["type"] == "error" || (x.name == "iq" && x["type"] == "result"))
    return true;
  const auto start = out().size();
  append_error_answer(out(), x, not_acceptable);
  std::string why = "<blocked";
  append_attribute(why, "xmlns", blocking_errors);
  out().insert(out().rfind("</error>"), why + "/>");
  sent_reply(start);
  return true;
}

void dialogue::refuse_blocked(const element& x, std::vector<std::string>& to) {
  if (!x_blocked || x_blocked->empty())
    return;
  element one;
  one.name = x.name;
  std::erase_if(to, [this, &one, &x](const std::string& text) {
    one.attributes = {{{}, "id", std::string{x["id"]}}, {{}, "to", text}};
    const auto whom = address::parse(text);
    return whom && refuse_blocked(one, whom->user);
  });
}

} // namespace parley::xmpp
