#include "persistence/shorter_file.hpp"

#include <algorithm>
#include <utility>

#include <rocksdb/file_system.h>

namespace parley {

namespace {

using rocksdb::IOStatus;

class shorter_file : public rocksdb::FSSequentialFileOwnerWrapper {
public:
  shorter_file(
    std::unique_ptr<rocksdb::FSSequentialFile>&& target, uint64_t size)
    : FSSequentialFileOwnerWrapper(std::move(target)), x_left(size) {}

  IOStatus Read(size_t n, const rocksdb::IOOptions& how, rocksdb::Slice* out,
    char* scratch, rocksdb::IODebugContext* c) override {
    auto s = FSSequentialFileOwnerWrapper::Read(
      static_cast<size_t>(std::min<uint64_t>(n, x_left)), how, out, scratch, c);
    if (s.ok())
      x_left -= out->size();
    return s;
  }

  IOStatus Skip(uint64_t n) override {
    n = std::min(n, x_left);
    x_left -= n;
    return FSSequentialFileOwnerWrapper::Skip(n);
  }

  IOStatus PositionedRead(uint64_t, size_t, const rocksdb::IOOptions&,
    rocksdb::Slice*, char*, rocksdb::IODebugContext*) override {
    return IOStatus::NotSupported("reading at a place");
  }

private:
  uint64_t x_left;
};

class file_system : public rocksdb::FileSystemWrapper {
public:
  file_system(std::shared_ptr<rocksdb::FileSystem> target, std::string name,
    uint64_t size)
    : FileSystemWrapper(std::move(target)),
      x_name(std::move(name)),
      x_size(size) {}

  static const char* kClassName() { return "parley.shorter_file"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewSequentialFile(const std::string& name,
    const rocksdb::FileOptions& how,
    std::unique_ptr<rocksdb::FSSequentialFile>* out,
    rocksdb::IODebugContext* c) override {
    auto s = target()->NewSequentialFile(name, how, out, c);
    if (s.ok() && name.substr(name.find_last_of('/') + 1) == x_name)
      *out = std::make_unique<shorter_file>(std::move(*out), x_size);
    return s;
  }

private:
  std::string x_name;
  uint64_t x_size;
};

class environment : public rocksdb::EnvWrapper {
public:
  environment(rocksdb::Env& base, std::string name, uint64_t size)
    : EnvWrapper(&base) {
    file_system_ = std::make_shared<file_system>(
      base.GetFileSystem(), std::move(name), size);
    system_clock_ = base.GetSystemClock();
  }
  const char* Name() const override { return file_system::kClassName(); }
};

} // namespace

std::unique_ptr<rocksdb::Env> env_with_shorter_file(
  rocksdb::Env& base, std::string name, uint64_t size) {
  return std::make_unique<environment>(base, std::move(name), size);
}

} // namespace parley
