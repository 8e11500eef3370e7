// Which calls clear setuid and setgid bits, and file capabilities, for which caller and owner, call
// by call, compared with the machine's own file system. Runs outside Bazel's sandbox, which has
// only one user.
//
// Each case is a process that becomes an *actor* and makes one *call*, once on the mount and once
// on a file beside it. Root opens the descriptor beforehand, since the writer counts, not the
// opener.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/fs/fuse/mounted_calls.h"
#include "tests/support/temporary_directory.h"

namespace kvfs::fs {
namespace {

constexpr uid_t kOwner = 1000;
constexpr gid_t kGroup = 2000;
constexpr uid_t kKept = static_cast<uid_t>(-1);
constexpr off_t kFileBytes = 20'000;

struct Actor {
  std::string name;
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups = {};
  bool flips_fsetid = false;  // root runs without CAP_FSETID, others with it
};

const std::vector<Actor> kActors = {
    {"root", 0, 0},
    {"root without CAP_FSETID", 0, 0, {}, true},
    {"the owner", kOwner, kOwner},
    {"the owner, whose group is the file's", kOwner, kGroup},
    {"the owner, a further group of whose is the file's", kOwner, kOwner, {5, kGroup}},
    {"a member of the group", 1001, kGroup},
    {"a member of the group by a further group", 1001, 1001, {7, kGroup, 9}},
    {"a stranger", 1002, 1002},
    {"a stranger in other groups", 1002, 1002, {7, 9}},
    {"a stranger with CAP_FSETID", 1002, 1002, {}, true},
};

// A call on an open file that has a path; returns whether it succeeds.
struct Call {
  std::string name;
  bool (*make)(int file, const char* path);
  // Facts that the kernel does not report: that the caller may keep the bits, so kvfs clears more
  // than necessary; or that the caller requested a chown, so kvfs does not refuse it, but keeps the
  // bits. (The kernel has already cleared capabilities then.)
  enum class Hidden { kNothing, kFsetid, kOwnership };
  Hidden hidden = Hidden::kNothing;
};

bool Write(int file, off_t offset) { return pwrite(file, "x", 1, offset) == 1; }

bool Allocate(int file, int mode, off_t offset, off_t length) {
  return fallocate(file, mode, offset, length) == 0;
}

bool WriteMapped(int file) {
  void* mapped = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return false;
  *static_cast<char*>(mapped) = 'x';
  return msync(mapped, 4096, MS_SYNC) == 0 && munmap(mapped, 4096) == 0;
}

bool Reopen(const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_written = (flags & O_TRUNC) != 0 || write(file, "x", 1) == 1;
  return close(file) == 0 && is_written;
}

bool WriteDirect(const char* path) {
  alignas(4096) static char page[4096];
  const int file = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
  return file >= 0 && write(file, page, sizeof page) == sizeof page && close(file) == 0;
}

bool Copy(int file, off_t from, off_t to) {
  return copy_file_range(file, &from, file, &to, 9, 0) == 9;
}

const std::vector<Call> kCalls = {
    {"pwrite", [](int f, const char*) { return Write(f, 0); }},
    {"pwrite beyond the end", [](int f, const char*) { return Write(f, 30'000); }},
    {"two writes", [](int f, const char*) { return Write(f, 0) && Write(f, 5'000); }},
    {"a write of nothing", [](int f, const char*) { return write(f, "", 0) == 0; }},
    {"pwrite and fsync", [](int f, const char*) { return Write(f, 0) && fsync(f) == 0; }},
    {"an append", [](int, const char* p) { return Reopen(p, O_WRONLY | O_APPEND); }},
    {"a direct write", [](int, const char* p) { return WriteDirect(p); }},
    {"a write by mmap", [](int f, const char*) { return WriteMapped(f); }},
    {"truncate", [](int, const char* p) { return truncate(p, 1) == 0; }},
    {"truncate to the same", [](int, const char* p) { return truncate(p, kFileBytes) == 0; }},
    {"ftruncate", [](int f, const char*) { return ftruncate(f, 1) == 0; }},
    {"ftruncate to more", [](int f, const char*) { return ftruncate(f, 70'000) == 0; }},
    {"open with O_TRUNC", [](int, const char* p) { return Reopen(p, O_WRONLY | O_TRUNC); }},
    {"fallocate", [](int f, const char*) { return Allocate(f, 0, 0, 70'000); },
     Call::Hidden::kFsetid},
    {"fallocate inside", [](int f, const char*) { return Allocate(f, 0, 0, 4096); },
     Call::Hidden::kFsetid},
    {"fallocate, size kept",
     [](int f, const char*) { return Allocate(f, FALLOC_FL_KEEP_SIZE, 0, 70'000); },
     Call::Hidden::kFsetid},
    {"a hole",
     [](int f, const char*) {
       return Allocate(f, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 8192);
     },
     Call::Hidden::kFsetid},
    {"zeros", [](int f, const char*) { return Allocate(f, FALLOC_FL_ZERO_RANGE, 0, 8192); },
     Call::Hidden::kFsetid},
    {"zeros, size kept",
     [](int f, const char*) {
       return Allocate(f, FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE, 0, 8192);
     },
     Call::Hidden::kFsetid},
    {"copy_file_range", [](int f, const char*) { return Copy(f, 0, 10'000); },
     Call::Hidden::kFsetid},
    {"chown of nothing", [](int, const char* p) { return chown(p, kKept, kKept) == 0; },
     Call::Hidden::kOwnership},
    {"chown to the owner", [](int, const char* p) { return chown(p, kOwner, kKept) == 0; }},
    {"chown to the group", [](int, const char* p) { return chown(p, kKept, kGroup) == 0; }},
    {"chown to the actor's group",
     [](int, const char* p) { return chown(p, kKept, getgid()) == 0; }},
    {"fchown to both", [](int f, const char*) { return fchown(f, kOwner, kGroup) == 0; }},
    {"chmod 6660", [](int, const char* p) { return chmod(p, 06660) == 0; }},
    {"chmod 2777", [](int, const char* p) { return chmod(p, 02777) == 0; }},
    {"a time", [](int f, const char*) { return futimens(f, nullptr) == 0; }},
};

// Readable and writable for the owner, the user 3000 and the group; with a mask.
bool SetAccessList(const char* path) {
  constexpr uint16_t kUserObject = 1, kUser = 2, kGroupObject = 4, kMask = 16, kOther = 32;
  struct Entry {
    uint16_t tag, permissions;
    uint32_t id;
  };
  const struct {
    uint32_t version;
    Entry entries[5];
  } list = {2,
            {{kUserObject, 6, ~0u},
             {kUser, 6, 3000},
             {kGroupObject, 6, ~0u},
             {kMask, 6, ~0u},
             {kOther, 4, ~0u}}};
  return setxattr(path, "system.posix_acl_access", &list, sizeof list, 0) == 0;
}

const Call kSetAccessList = {"an access list", [](int, const char* p) { return SetAccessList(p); }};

const std::vector<mode_t> kModes = {02666, 02676, 06666, 06777, 04755, 02644, 0666};

// --- in the process of a case ---

void FlipFsetid(bool has_it) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  syscall(SYS_capget, &header, sets);
  const uint32_t bit = 1u << CAP_FSETID;
  sets[0].effective = has_it ? sets[0].effective & ~bit : bit;
  if (!has_it) sets[1].effective = 0;
  syscall(SYS_capset, &header, sets);
}

bool Become(const Actor& actor) {
  if (actor.flips_fsetid) prctl(PR_SET_KEEPCAPS, 1);
  const bool is_done = setgroups(actor.groups.size(), actor.groups.data()) == 0 &&
                       setresgid(actor.gid, actor.gid, actor.gid) == 0 &&
                       setresuid(actor.uid, actor.uid, actor.uid) == 0;
  if (actor.flips_fsetid) FlipFsetid(actor.uid == 0);
  return is_done;
}

// --- in the test's process ---

struct Outcome {
  int error;
  mode_t mode;         // as reported by stat
  mode_t stored_mode;  // as reported to the kernel on a request
  bool has_capabilities;

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << (outcome.error == 0 ? "done" : std::strerror(outcome.error)) << ", " << std::oct
             << outcome.mode << ", when asked " << outcome.stored_mode << std::dec
             << (outcome.has_capabilities ? ", capabilities" : "");
}

class MountedSetId : public MountedCalls {
 protected:
  void SetUp() override {
    // Only root can become another user; an ordinary user may run the other tests.
    if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
    // Bazel's directories may be in root's home, which others cannot enter.
    setenv("TEST_TMPDIR", "/tmp", 1);
    beside_ = std::make_unique<TemporaryDirectory>();
    chmod(beside_->path().c_str(), 0755);
  }

  void Mount() {
    options_.allow_other = true;
    MountedFixture::SetUp();
    chmod(Path("").c_str(), 0755);
  }

  static mode_t ModeOf(int file, int sync) {
    struct statx attributes {};
    EXPECT_EQ(statx(file, "", AT_EMPTY_PATH | sync, STATX_MODE, &attributes), 0);
    return attributes.stx_mode & 07777;
  }

  // Grants cap_net_raw to root.
  static bool SetCapabilities(int file) {
    const vfs_cap_data capability = {VFS_CAP_REVISION_2, {{1u << CAP_NET_RAW, 0}, {0, 0}}};
    return fsetxattr(file, "security.capability", &capability, XATTR_CAPS_SZ_2, 0) == 0;
  }

  static Outcome Try(const std::string& path, const Actor& actor, mode_t mode, const Call& call,
                     bool with_capabilities) {
    unlink(path.c_str());
    const Descriptor file(path, O_RDWR | O_CREAT | O_EXCL);
    EXPECT_EQ(ftruncate(file, kFileBytes), 0);
    EXPECT_EQ(fchown(file, kOwner, kGroup), 0);
    EXPECT_EQ(fchmod(file, mode), 0);
    EXPECT_TRUE(!with_capabilities || SetCapabilities(file));
    ModeOf(file, AT_STATX_FORCE_SYNC);
    const pid_t process = fork();
    if (process == 0) {
      if (!Become(actor)) _exit(255);
      _exit(call.make(file, path.c_str()) ? 0 : errno);
    }
    int status = -1;
    waitpid(process, &status, 0);
    const mode_t remembered = ModeOf(file, AT_STATX_SYNC_AS_STAT);
    const bool has_capabilities = fgetxattr(file, "security.capability", nullptr, 0) > 0;
    return {WEXITSTATUS(status), remembered, ModeOf(file, AT_STATX_FORCE_SYNC), has_capabilities};
  }

  void ExpectAsBeside(const Call& call, const Actor& actor, mode_t mode, bool with_capabilities) {
    Outcome here = Try(Path("f"), actor, mode, call, with_capabilities);
    const Outcome beside = Try(beside_->path() + "/f", actor, mode, call, with_capabilities);
    if (call.hidden == Call::Hidden::kOwnership && beside.error == EPERM) {
      here.error = beside.error;
      here.has_capabilities = beside.has_capabilities;
    }
    EXPECT_EQ(here, beside) << call.name << ", by " << actor.name << ", " << std::oct << mode;
  }
  // Whether the kernel tells kvfs enough. It does not for root's changes of contents, if they
  // remove capabilities from a file that also has set-id bits.
  static bool IsTold(const Call& call, const Actor& actor, mode_t mode, bool with_capabilities) {
    if (actor.uid != 0) return !actor.flips_fsetid || call.hidden != Call::Hidden::kFsetid;
    return !with_capabilities || actor.flips_fsetid || (mode & (S_ISUID | S_ISGID)) == 0;
  }
  void ExpectAsBeside(const Call& call, bool with_capabilities) {
    for (const Actor& actor : kActors) {
      for (const mode_t mode : kModes) {
        if (!IsTold(call, actor, mode, with_capabilities)) continue;
        ExpectAsBeside(call, actor, mode, with_capabilities);
      }
    }
  }
  void ExpectAllAsBeside(bool with_capabilities) {
    for (const Call& call : kCalls) ExpectAsBeside(call, with_capabilities);
  }

 private:
  std::unique_ptr<TemporaryDirectory> beside_;
};

TEST_F(MountedSetId, IsTakenAwayAsBeside) {
  Mount();
  ExpectAllAsBeside(/*with_capabilities=*/false);
}

TEST_F(MountedSetId, AndFileCapabilities) {
  Mount();
  ExpectAllAsBeside(/*with_capabilities=*/true);
}

TEST_F(MountedSetId, WithoutExtendedAttributes) {
  options_.extended_attributes = false;
  Mount();
  ExpectAllAsBeside(/*with_capabilities=*/false);
}

TEST_F(MountedSetId, WithAccessLists) {
  options_.access_lists = true;
  Mount();
  ExpectAllAsBeside(/*with_capabilities=*/false);
  ExpectAsBeside(kSetAccessList, /*with_capabilities=*/false);
}

TEST_F(MountedSetId, WithWriteback) {
  options_.writeback = true;
  Mount();
  ExpectAllAsBeside(/*with_capabilities=*/true);
}

TEST_F(MountedSetId, WithWritebackAndNoExtendedAttributes) {
  options_.extended_attributes = false;
  options_.writeback = true;
  Mount();
  ExpectAllAsBeside(/*with_capabilities=*/false);
}

}  // namespace
}  // namespace kvfs::fs
