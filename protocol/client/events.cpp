#include "protocol/client/events.hpp"

namespace parley {

void client_events::on_ready(const address&, bool) {}

void client_events::on_message(const received_im&) {}

void client_events::on_outcome(
  request_tag, std::string_view, std::string_view, const outcome&) {}

void client_events::on_broadcast(
  request_tag, std::string_view, const std::vector<recipient_outcome>&) {}

void client_events::on_done(request_tag) {}

void client_events::on_refused(request_tag, const failure&) {}

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
