#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/actors/router/world.hpp"

namespace parley::test {

const user_address& user_name(int i);
/// Empty for `no_endpoint`.
const endpoint_name& endpoint_of(int i);

/// One user of a world: holds each thing that its inbox does against the model.
struct world::user final : inbox::effects {
  user(world& w, int i, const settings& how);

  void accepted(const origin& from) override;
  void hand_out(session_id to, delivery what) override;
  void settle(const origin& to, const outcome& what) override;
  void put(put_im what) override;
  void remove(remove_im what) override;
  void read_page(const user_address& of, session_id for_whom, im_order from,
    size_t max) override;
  void watch_grace(
    const user_address& of, im_order order, session_id holder) override;
  void probe(session_id whom) override;
  void send_receipt(
    const im& about, const address& endpoint, receipt::kind what) override;

  /// The IM is not for anybody any more, for the reason that its sender hears;
  /// `none`: it has heard already, or hears nothing.
  void ends(model_im& x, std::optional<outcome::kind> how);
  void expect(const model_im& x, outcome::kind what);
  void compare_outcomes();

  world& x_world;
  model rules;
  fake_store store;
  std::unique_ptr<inbox> in;

  struct watch {
    im_order order;
    session_id holder;
  };
  std::deque<watch> watches;
  /// Copies of sessions that are over: who, and of what.
  std::vector<std::pair<session_id, acknowledged_im>> ghosts;
  /// What was handed out, to be acknowledged.
  std::map<uint64_t, shared<im>> bodies;
  /// Of this step.
  std::vector<std::pair<uint64_t, outcome::kind>> expected;
  std::vector<std::pair<uint64_t, outcome::kind>> settled;
  std::vector<uint64_t> probed;
  bool may_put = false;
  /// Endpoints whose page could not be read.
  std::set<uint64_t> stalled;
  /// Grace times that were started, by IM and holder.
  std::set<std::pair<uint64_t, uint64_t>> running;
  /// Something was taken off the disk while it was there alone: the inbox may
  /// look into the store once too often.
  bool reads_more = false;
  /// Something was to be taken off the disk that was not there any more: the
  /// inbox cannot know, and counts one too few.
  bool inexact = false;
  /// An IM that was on disk at some time, for a sweep that comes too late.
  im_order seen_on_disk;
  /// Of the last IM accepted.
  uint64_t last_order = 0;
};

/// An IM on its way from one user to another.
struct world::send {
  user* from = nullptr;
  user* to = nullptr;
  session_id session;
  /// The sender's inbox says that there is something to choose, or was not
  /// asked.
  bool would_choose = false;
  /// By the rules it chooses.
  bool chooses = false;
  bool copies = true;
  bool accepted = false;
  model_im what;

  bool is(const user& recipient, const model_im& x) const {
    return to == &recipient && accepted && what.order == x.order;
  }
};

} // namespace parley::test
