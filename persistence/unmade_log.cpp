#include "persistence/unmade_log.hpp"

#include <atomic>
#include <string>
#include <utility>

#include <rocksdb/file_system.h>

namespace parley {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

/// Has no bytes, and takes none.
class unmade_log : public rocksdb::FSWritableFile {
public:
  explicit unmade_log(IOStatus why) : x_why(std::move(why)) {}

  IOStatus Append(
    const rocksdb::Slice&, const IOOptions&, IODebugContext*) override {
    return x_why;
  }
  IOStatus Append(const rocksdb::Slice&, const IOOptions&,
    const rocksdb::DataVerificationInfo&, IODebugContext*) override {
    return x_why;
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return x_why; }
  IOStatus Flush(const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

private:
  const IOStatus x_why;
};

} // namespace

class unmade_log_env::files : public rocksdb::FileSystemWrapper {
public:
  using FileSystemWrapper::FileSystemWrapper;

  static const char* kClassName() { return "parley.unmade_log"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewWritableFile(const std::string& name,
    const rocksdb::FileOptions& how,
    std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* c) override {
    auto made = target()->NewWritableFile(name, how, out, c);
    if (made.ok() || !bears_failures || !name.ends_with(".log"))
      return made;
    *out = std::make_unique<unmade_log>(std::move(made));
    return IOStatus::OK();
  }

  std::atomic<bool> bears_failures = false;
};

unmade_log_env::unmade_log_env(rocksdb::Env& base) : EnvWrapper(&base) {
  wrap(base);
}

unmade_log_env::unmade_log_env(std::unique_ptr<rocksdb::Env> base)
  : EnvWrapper(std::move(base)) {
  wrap(*target());
}

void unmade_log_env::wrap(rocksdb::Env& base) {
  x_files = std::make_shared<files>(base.GetFileSystem());
  file_system_ = x_files;
  system_clock_ = base.GetSystemClock();
}

const char* unmade_log_env::Name() const {
  return files::kClassName();
}

void unmade_log_env::bear_failures() {
  x_files->bears_failures = true;
}

} // namespace parley
