#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "persistence/store.hpp"
#include "protocol/vocabulary.hpp"

/// What routers, readers and rosters say to each other about documents.
namespace parley {

/// To the router of the owner, and from there to a reader.
struct documents_wanted {
  user_address owner;
  /// Who asks, and where the answer goes.
  user_address asker;
  session_id session;
  request_number number;
  document_reading what;
  auto fields() { return std::tie(owner, asker, session, number, what); }
};

/// From a reader to the router of the owner, and from there to that of who
/// asked.
struct documents_ready {
  user_address asker;
  session_id session;
  answer what;
  auto fields() { return std::tie(asker, session, what); }
};

/// To the router of these owners, and from there to a reader: the newest
/// documents of these collections are to be told to one session.
struct documents_followed {
  std::vector<user_address> of;
  user_address asker;
  session_id session;
  std::vector<std::string> collections;
  /// The last change that the router of the owners had heard of by then.
  uint64_t since = 0;
  auto fields() { return std::tie(of, asker, session, collections, since); }
};

/// To the router of those who are told.
struct document_notices {
  std::vector<user_address> to;
  /// 0: every endpoint that is available.
  session_id session;
  std::vector<shared<document_notice>> what;
  /// From a reader: as in `documents_followed`, to be judged by the router of
  /// the owner; otherwise 0.
  uint64_t since = 0;
  auto fields() { return std::tie(to, session, what, since); }
};

/// To the roster of the owner: its watchers are to be told.
struct tell_watchers {
  shared<document_notice> what;
  auto fields() { return std::tie(what); }
};

/// For operators.
struct documents_counted {
  document_totals what;
  failure why;
  auto fields() { return std::tie(what, why); }
};

} // namespace parley
