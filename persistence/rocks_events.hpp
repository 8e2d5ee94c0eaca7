#pragma once

#include <rocksdb/env.h>
#include <rocksdb/listener.h>

namespace parley {

/// No log of RocksDB's own. It would be a file in the same folder, and 7.8 ends
/// the process when it writes to a file again that the disk has refused. What
/// concerns us comes as a status.
class silent_log : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// Keeps RocksDB from going on by itself after a full disk has room again: it
/// would write where a write has failed, and end the process too.
/// store::impl::recover does it.
class no_recovery : public rocksdb::EventListener {
public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
    bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

} // namespace parley
