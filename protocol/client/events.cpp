#include "protocol/client/events.hpp"

namespace parley {

void client_events::on_ready(const address&, bool) {}

void client_events::on_message(const received_im&) {}

void client_events::on_outcome(
  request_tag, std::string_view, std::string_view, const outcome&) {}

void client_events::on_broadcast(
  request_tag, std::string_view, const std::vector<recipient_outcome>&) {}

void client_events::on_done(request_tag) {}

void client_events::on_contacts_changed(request_tag, const contacts_changed&) {}

void client_events::on_contacts(
  std::optional<request_tag>, const contact_list&) {}

void client_events::on_subscription(const user_address&, subscription_event) {}

void client_events::on_watching(request_tag, uint64_t) {}

void client_events::on_watch_ended(const user_address&) {}

void client_events::on_privacy(std::optional<request_tag>, const privacy&) {}

void client_events::on_presence(const presence_notice&) {}

void client_events::on_presence_reset() {}

void client_events::on_refused(
  request_tag, const failure&, const user_address&) {}

void client_events::on_receipt(
  std::string_view, std::string_view, receipt::kind) {}

void client_events::on_typing(std::string_view) {}

void client_events::on_policy(
  const std::vector<std::pair<std::string, std::string>>&) {}

void client_events::on_error(const failure&) {}

void client_events::on_disconnected(const failure&, std::chrono::milliseconds) {
}

void client_events::on_gone(const failure&) {}

} // namespace parley
