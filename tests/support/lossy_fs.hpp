#pragma once

#include "tests/support/lossy_model.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

namespace parley::test {

/// A file system that forgets, when the power goes, what was not synced: of a
/// file its unsynced end, and of a folder the latest creations, renames and
/// deletions. Any writing call may be the last one before that.
class lossy_fs : public rocksdb::FileSystemWrapper {
public:
  using options = rocksdb::IOOptions;
  using context = rocksdb::IODebugContext;
  using status = rocksdb::IOStatus;

  explicit lossy_fs(std::shared_ptr<rocksdb::FileSystem> target)
    : FileSystemWrapper(std::move(target)), x_model(*target_) {}

  static const char* kClassName() { return "lossy_fs"; }
  const char* Name() const override { return kClassName(); }

  // -- what happens to it -----------------------------------------------------

  /// From here on no writing call does anything but fail.
  void power_off() { x_left = 0; }
  /// Carries out `writes` more writing calls, then goes off.
  void power_off_after(uint64_t writes) { x_left = writes; }
  bool is_off() const { return x_left == 0; }

  /// Decides what survived. All files have to be closed.
  void power_on(std::mt19937_64& random) {
    std::lock_guard lock(x_mutex);
    x_model.crash(random);
    x_left = UINT64_MAX;
  }

  enum class fault {
    none,
    /// No space left.
    full,
    /// No space left but for half of what is appended.
    filling,
    /// Input/output error.
    broken,
    /// Input/output error of what makes lasting; all else is carried out.
    unsynced,
  };
  /// Writing calls fail like this, and do nothing, until told otherwise.
  void refuse_writes(fault how) { x_fault = how; }

  /// Files synced, and writing calls, so far.
  uint64_t syncs() const { return x_syncs; }
  uint64_t writes() const { return x_writes; }

  // -- rocksdb::FileSystem ----------------------------------------------------

  /// As of a disk that another one fills and frees: RocksDB goes on by itself
  /// when it thinks that there is room, if it is let.
  status GetFreeSpace(
    const std::string&, const options&, uint64_t* out, context*) override {
    *out = UINT64_MAX / 2;
    return status::OK();
  }

  status NewWritableFile(const std::string& name,
    const rocksdb::FileOptions& how,
    std::unique_ptr<rocksdb::FSWritableFile>* out, context* c) override {
    // RocksDB's own log, which no start reads: what is in it, and when, depends
    // on real time.
    if (name.find("/LOG") != std::string::npos)
      return target_->NewWritableFile(name, how, out, c);
    return writing([&] {
      x_model.before_create(name);
      auto s = target_->NewWritableFile(name, how, out, c);
      if (s.ok())
        *out = std::make_unique<file>(
          *this, x_model.create(name), 0, std::move(*out));
      return s;
    });
  }

  status ReopenWritableFile(const std::string& name,
    const rocksdb::FileOptions& how,
    std::unique_ptr<rocksdb::FSWritableFile>* out, context* c) override {
    return writing([&] {
      uint64_t size = 0;
      auto s = target_->GetFileSize(name, options(), &size, c);
      if (s.ok())
        s = target_->ReopenWritableFile(name, how, out, c);
      if (s.ok())
        *out = std::make_unique<file>(
          *this, x_model.find(name), size, std::move(*out));
      return s;
    });
  }

  status ReuseWritableFile(const std::string&, const std::string&,
    const rocksdb::FileOptions&, std::unique_ptr<rocksdb::FSWritableFile>*,
    context*) override {
    return status::NotSupported("reusing files");
  }

  status NewRandomRWFile(const std::string&, const rocksdb::FileOptions&,
    std::unique_ptr<rocksdb::FSRandomRWFile>*, context*) override {
    return status::NotSupported("writing in place");
  }

  status LinkFile(
    const std::string&, const std::string&, const options&, context*) override {
    return status::NotSupported("links");
  }

  status RenameFile(const std::string& from, const std::string& to,
    const options& how, context* c) override {
    return writing([&] {
      x_model.before_rename(from, to);
      auto s = target_->RenameFile(from, to, how, c);
      if (s.ok())
        x_model.rename(from, to);
      return s;
    });
  }

  status DeleteFile(
    const std::string& name, const options& how, context* c) override {
    return writing([&] {
      x_model.before_remove(name);
      auto s = target_->DeleteFile(name, how, c);
      if (s.ok())
        x_model.remove(name);
      return s;
    });
  }

  status CreateDir(
    const std::string& name, const options& how, context* c) override {
    return writing([&] {
      auto s = target_->CreateDir(name, how, c);
      if (s.ok())
        x_model.create_folder(name);
      return s;
    });
  }

  status CreateDirIfMissing(
    const std::string& name, const options& how, context* c) override {
    return writing([&] {
      auto is_new = !target_->FileExists(name, how, c).ok();
      auto s = target_->CreateDirIfMissing(name, how, c);
      if (s.ok() && is_new)
        x_model.create_folder(name);
      return s;
    });
  }

  status NewDirectory(const std::string& name, const options& how,
    std::unique_ptr<rocksdb::FSDirectory>* out, context* c) override {
    auto s = target_->NewDirectory(name, how, out, c);
    if (s.ok())
      *out = std::make_unique<folder>(*this, name, std::move(*out));
    return s;
  }

private:
  using inode_ptr = lossy_model::inode_ptr;

  class file : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    file(lossy_fs& fs, inode_ptr inode, uint64_t size,
      std::unique_ptr<rocksdb::FSWritableFile> target)
      : FSWritableFileOwnerWrapper(std::move(target)),
        x_fs(fs),
        x_inode(std::move(inode)),
        x_size(size) {}

    status Append(
      const rocksdb::Slice& data, const options& how, context* c) override {
      auto part = data;
      if (x_fs.x_fault == fault::filling)
        part.remove_suffix(part.size() - part.size() / 2);
      auto append = [&] {
        auto s = target()->Append(part, how, c);
        if (s.ok())
          x_size += part.size();
        return s;
      };
      if (x_fs.x_fault == fault::filling)
        append().PermitUncheckedError();
      return x_fs.writing(append);
    }
    status Append(const rocksdb::Slice& data, const options& how,
      const rocksdb::DataVerificationInfo&, context* c) override {
      return Append(data, how, c);
    }
    status Truncate(uint64_t size, const options& how, context* c) override {
      return x_fs.writing([&] {
        auto s = target()->Truncate(size, how, c);
        if (s.ok()) {
          x_size = size;
          if (x_inode)
            x_inode->synced = std::min(x_inode->synced, size);
        }
        return s;
      });
    }
    status Sync(const options& how, context* c) override {
      return x_fs.syncing([&] {
        auto s = target()->Sync(how, c);
        if (s.ok()) {
          ++x_fs.x_syncs;
          if (x_inode)
            x_inode->synced = x_size;
        }
        return s;
      });
    }
    status Fsync(const options& how, context* c) override {
      return Sync(how, c);
    }
    /// A hint that promises nothing.
    status RangeSync(uint64_t, uint64_t, const options&, context*) override {
      return status::OK();
    }

  private:
    lossy_fs& x_fs;
    inode_ptr x_inode;
    uint64_t x_size;
  };

  class folder : public rocksdb::FSDirectoryWrapper {
  public:
    folder(lossy_fs& fs, std::string name,
      std::unique_ptr<rocksdb::FSDirectory>&& target)
      : FSDirectoryWrapper(std::move(target)),
        x_fs(fs),
        x_name(std::move(name)) {}

    status Fsync(const options&, context*) override {
      return x_fs.syncing([&] {
        x_fs.x_model.sync_folder(x_name);
        return status::OK();
      });
    }
    status FsyncWithDirOptions(const options& how, context* c,
      const rocksdb::DirFsyncOptions&) override {
      return Fsync(how, c);
    }

  private:
    lossy_fs& x_fs;
    std::string x_name;
  };

  template <class F>
  status syncing(F&& carry_out) {
    if (x_fault == fault::unsynced)
      return status::IOError("the disk does not sync");
    return writing(std::forward<F>(carry_out));
  }

  template <class F>
  status writing(F&& carry_out) {
    std::lock_guard lock(x_mutex);
    if (x_left == 0)
      return status::IOError("the power is off");
    if (x_fault == fault::broken)
      return status::IOError("the disk is broken");
    if (x_fault == fault::full || x_fault == fault::filling) {
      // As RocksDB makes it of ENOSPC.
      auto s = status::NoSpace("the disk is full");
      s.SetRetryable(true);
      return s;
    }
    ++x_writes;
    if (x_left != UINT64_MAX)
      --x_left;
    return carry_out();
  }

  std::mutex x_mutex;
  lossy_model x_model;
  std::atomic<uint64_t> x_left = UINT64_MAX;
  std::atomic<fault> x_fault = fault::none;
  std::atomic<uint64_t> x_syncs = 0;
  std::atomic<uint64_t> x_writes = 0;
};

/// RocksDB sleeps a second when work in the background fails.
class hasty_clock : public rocksdb::SystemClockWrapper {
public:
  using SystemClockWrapper::SystemClockWrapper;
  static const char* kClassName() { return "hasty_clock"; }
  const char* Name() const override { return kClassName(); }
  void SleepForMicroseconds(int micros) override {
    SystemClockWrapper::SleepForMicroseconds(std::min(micros, 1000));
  }
};

/// A lossy file system in memory, as RocksDB takes one.
class lossy_disk {
public:
  lossy_disk()
    : x_memory(rocksdb::NewMemEnv(rocksdb::Env::Default())),
      x_files(std::make_shared<lossy_fs>(x_memory->GetFileSystem())),
      x_base(rocksdb::NewCompositeEnv(x_files)),
      x_env(*x_base) {}

  rocksdb::Env* env() noexcept { return &x_env; }
  lossy_fs& files() noexcept { return *x_files; }

private:
  struct hasty_env : rocksdb::EnvWrapper {
    explicit hasty_env(rocksdb::Env& base) : EnvWrapper(&base) {
      file_system_ = base.GetFileSystem();
      system_clock_ = std::make_shared<hasty_clock>(base.GetSystemClock());
    }
    const char* Name() const override { return "lossy_disk"; }
  };

  std::unique_ptr<rocksdb::Env> x_memory;
  std::shared_ptr<lossy_fs> x_files;
  std::unique_ptr<rocksdb::Env> x_base;
  hasty_env x_env;
};

} // namespace parley::test
