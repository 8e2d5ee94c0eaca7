#pragma once

#include <caf/actor_system_config.hpp>

#include "actors/interfaces.hpp"
#include "actors/router/router.hpp"

/// The type ids of all messages that could cross machines, in one place:
/// called by server, bench and tests before their actor system starts. New
/// types are added at the end, so that numbers stay.
CAF_BEGIN_TYPE_ID_BLOCK(parley, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(parley, (parley::user_address))
CAF_ADD_TYPE_ID(parley, (parley::address))
CAF_ADD_TYPE_ID(parley, (parley::session_id))
CAF_ADD_TYPE_ID(parley, (parley::im_order))
CAF_ADD_TYPE_ID(parley, (parley::retry_key))
CAF_ADD_TYPE_ID(parley, (parley::scram_keys))
CAF_ADD_TYPE_ID(parley, (parley::shared<parley::policy>))
CAF_ADD_TYPE_ID(parley, (parley::operations))
CAF_ADD_TYPE_ID(parley, (parley::shared<parley::operations>))
CAF_ADD_TYPE_ID(parley, (parley::client_requests))
CAF_ADD_TYPE_ID(parley, (parley::client_acknowledged))
CAF_ADD_TYPE_ID(parley, (parley::client_window))
CAF_ADD_TYPE_ID(parley, (parley::client_lost))
CAF_ADD_TYPE_ID(parley, (parley::session_requests))
CAF_ADD_TYPE_ID(parley, (parley::session_acknowledged))
CAF_ADD_TYPE_ID(parley, (parley::session_suspended))
CAF_ADD_TYPE_ID(parley, (parley::session_window))
CAF_ADD_TYPE_ID(parley, (parley::session_output))
CAF_ADD_TYPE_ID(parley, (parley::probe_client))
CAF_ADD_TYPE_ID(parley, (parley::end_session))
CAF_ADD_TYPE_ID(parley, (parley::announce_stop))
CAF_ADD_TYPE_ID(parley, (parley::session_sweep))
CAF_ADD_TYPE_ID(parley, (parley::routed_im))
CAF_ADD_TYPE_ID(parley, (parley::routed_outcome))
CAF_ADD_TYPE_ID(parley, (parley::routed_choice))
CAF_ADD_TYPE_ID(parley, (parley::routed_receipt))
CAF_ADD_TYPE_ID(parley, (parley::routed_typing))
CAF_ADD_TYPE_ID(parley, (parley::written))
CAF_ADD_TYPE_ID(parley, (parley::head_found))
CAF_ADD_TYPE_ID(parley, (parley::page_found))
CAF_ADD_TYPE_ID(parley, (parley::id_found))
CAF_ADD_TYPE_ID(parley, (parley::ims_expired))
CAF_ADD_TYPE_ID(parley, (parley::account_found))
CAF_ADD_TYPE_ID(parley, (parley::password_checked))
CAF_ADD_TYPE_ID(parley, (parley::admitted))
CAF_ADD_TYPE_ID(parley, (parley::router_report))
CAF_ADD_TYPE_ID(parley, (parley::stop_report))
CAF_ADD_TYPE_ID(parley, (parley::write_result))
CAF_ADD_TYPE_ID(parley, (parley::keys_derived))
CAF_ADD_TYPE_ID(parley, (parley::accounts_found))
CAF_ADD_TYPE_ID(parley, (parley::audit_found))
CAF_ADD_TYPE_ID(parley, (parley::setting_changed))
CAF_ADD_TYPE_ID(parley, (parley::session_actor))
CAF_ADD_TYPE_ID(parley, (parley::router_actor))
CAF_ADD_TYPE_ID(parley, (std::vector<parley::router_actor>))
CAF_ADD_TYPE_ID(parley, (std::vector<parley::user_address>))
CAF_ADD_TYPE_ID(parley, (parley::gateway_ref))
CAF_ADD_TYPE_ID(
  parley, (caf::typed_actor<caf::reacts_to<parley::password_checked>>))
CAF_ADD_TYPE_ID(parley, (caf::typed_actor<caf::reacts_to<parley::admitted>>))
CAF_ADD_TYPE_ID(parley, (parley::sign_in_ended))
CAF_ADD_TYPE_ID(parley, (parley::audit_entry))
CAF_ADD_TYPE_ID(parley, (parley::account_removed))
CAF_ADD_TYPE_ID(parley, (parley::shared<parley::id_filter>))
CAF_END_TYPE_ID_BLOCK(parley)

namespace parley {

void add_message_types(caf::actor_system_config& cfg);

} // namespace parley
