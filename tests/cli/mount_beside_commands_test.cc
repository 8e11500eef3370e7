// Random calls through a mount, mixed with commands on the same store, compared with the same calls
// on a plain directory: contents, sizes, names and open files are equal after each step.
//
// For a command, the directory gets the equivalent calls. A failure prints the seed and every step
// before it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

std::string ReadAt(int file) {
  std::string text;
  char buffer[65536];
  for (ssize_t n; (n = pread(file, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

std::string ReadPath(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "cannot be opened";
  std::string text = ReadAt(file);
  close(file);
  return text;
}

// The calls of one side. Each returns a comparable result.
class Side {
 public:
  explicit Side(std::string root) : root_(std::move(root)) {}
  ~Side() {
    for (const int file : files_) close(file);
  }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  int Open(const std::string& name, int flags) {
    const int file = open(Path(name).c_str(), flags | O_CLOEXEC, 0644);
    if (file < 0) return errno;
    files_.push_back(file);
    return 0;
  }
  void Close(size_t i) {
    close(files_[i]);
    files_.erase(files_.begin() + static_cast<ptrdiff_t>(i));
  }
  ssize_t Write(size_t i, const std::string& text) {
    return write(files_[i], text.data(), text.size());
  }
  ssize_t WriteAt(size_t i, const std::string& text, off_t offset) {
    return pwrite(files_[i], text.data(), text.size(), offset);
  }
  int Cut(size_t i, off_t size) { return ftruncate(files_[i], size); }
  // As `echo text > name` and `>> name`.
  bool Redirect(const std::string& name, const std::string& text, int how) {
    const int file = open(Path(name).c_str(), O_WRONLY | O_CREAT | how | O_CLOEXEC, 0644);
    if (file < 0) return false;
    const bool is_whole =
        write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(file);
    return is_whole;
  }
  bool Unlink(const std::string& name) { return unlink(Path(name).c_str()) == 0; }
  bool Rename(const std::string& from, const std::string& to) {
    return rename(Path(from).c_str(), Path(to).c_str()) == 0;
  }
  bool Link(const std::string& from, const std::string& to) {
    return link(Path(from).c_str(), Path(to).c_str()) == 0;
  }
  // Sets the first bytes through a shared mapping.
  bool StoreMapped(size_t i, char letter) {
    struct stat status;
    if (fstat(files_[i], &status) != 0 || status.st_size == 0) return false;
    const auto length = static_cast<size_t>(std::min<off_t>(status.st_size, 5000));
    void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, files_[i], 0);
    if (at == MAP_FAILED) return false;
    std::fill_n(static_cast<char*>(at), length, letter);
    msync(at, length, MS_SYNC);
    munmap(at, length);
    return true;
  }

  size_t open_files() const { return files_.size(); }
  std::string DescribeFile(size_t i) const {
    struct stat status;
    fstat(files_[i], &status);
    return std::to_string(status.st_size) + " " + std::to_string(status.st_nlink) + " " +
           std::to_string(lseek(files_[i], 0, SEEK_END)) + " " + ReadAt(files_[i]);
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : stdfs::directory_iterator(root_)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }
  std::string DescribeName(const std::string& name) const {
    struct stat status;
    if (stat(Path(name).c_str(), &status) != 0) return "absent";
    return std::to_string(status.st_size) + " " + std::to_string(status.st_nlink) + " " +
           ReadPath(Path(name));
  }

 private:
  const std::string root_;
  std::vector<int> files_;
};

class MountBesideCommands : public StoreFixture {
 protected:
  void Play(uint32_t seed, int steps, bool writeback) {
    random_.seed(seed);
    writeback_ = writeback;
    Create();
    Run(writeback ? std::vector<std::string>{"mount", "-o", "writeback", store(), mount_point()}
                  : std::vector<std::string>{"mount", store(), mount_point()});
    stdfs::create_directory(Path("plain"));
    Side mount(mount_point()), plain(Path("plain"));
    mount_ = &mount;
    plain_ = &plain;
    for (int i = 0; i < steps && !HasFailure(); ++i) {
      Step();
      Compare();
      if (HasFailure()) ADD_FAILURE() << "seed " << seed << ":\n" << trace_;
    }
    while (mount.open_files() > 0) mount.Close(0);
  }

 private:
  uint32_t Draw(uint32_t below) { return static_cast<uint32_t>(random_()) % below; }
  std::string DrawName() { return std::string(1, static_cast<char>('a' + Draw(4))); }
  // Some fit into a page, some do not, some end at a page boundary.
  std::string DrawText() {
    const uint32_t sizes[] = {0, 1, 7, 96, 104, 200, 4000, 4096, 5000, 20'000};
    return std::string(sizes[Draw(10)], static_cast<char>('A' + Draw(26)));
  }
  void Note(const std::string& what) { trace_ += what + "\n"; }
  template <typename Call>
  void Both(const std::string& what, const Call& call) {
    Note(what);
    const auto of_plain = call(*plain_);
    EXPECT_EQ(call(*mount_), of_plain) << what;
  }
  // A command, and the equivalent call on the directory, which determines whether it must succeed.
  template <typename Call>
  void Command(const std::vector<std::string>& arguments, const std::string& input,
               const Call& call) {
    std::string what = "kvfs";
    for (const std::string& argument : arguments) what += " " + argument;
    Note(what + " <" + std::to_string(input.size()));
    const ProgramRun run = RunKvfs(arguments, input);
    EXPECT_EQ(run.status == 0, call(*plain_)) << what << ": " << run.err;
  }
  // The same for a command that replaces the content of an existing file.
  template <typename Call>
  void Content(const std::vector<std::string>& arguments, const std::string& name,
               const std::string& input, const Call& call) {
    const bool is_refused = writeback_ && plain_->Names().contains(name);
    Command(arguments, input, [&](Side& side) { return !is_refused && call(side); });
  }

  void Step() {
    const std::string name = DrawName(), text = DrawText();
    switch (Draw(7)) {
      case 0:
        return OpenOrClose(name);
      case 1:
      case 2:
        return UseFile(text);
      case 3:
        return ChangeName(name);
      default:
        return RunCommand(name, text);
    }
  }

  void OpenOrClose(const std::string& name) {
    if (plain_->open_files() == 5) {
      const size_t i = Draw(5);
      Note("close " + std::to_string(i));
      plain_->Close(i);
      mount_->Close(i);
      return;
    }
    const int flags = O_CREAT | (Draw(3) == 0 ? O_RDWR : O_RDWR | O_APPEND);
    Both("open " + name + " " + std::to_string(flags),
         [&](Side& side) { return side.Open(name, flags); });
  }

  void UseFile(const std::string& text) {
    if (plain_->open_files() == 0) return;
    const size_t i = Draw(static_cast<uint32_t>(plain_->open_files()));
    const auto offset = static_cast<off_t>(Draw(12'000));
    const std::string which = " " + std::to_string(i) + " " + std::to_string(text.size());
    switch (Draw(6)) {
      case 0:
        return Both("cut" + which + " " + std::to_string(offset),
                    [&](Side& side) { return side.Cut(i, offset); });
      case 1:
        return Both("pwrite" + which + " " + std::to_string(offset),
                    [&](Side& side) { return side.WriteAt(i, text, offset); });
      case 2:
        return Both("mmap" + which, [&](Side& side) { return side.StoreMapped(i, 'm'); });
      default:
        return Both("write" + which, [&](Side& side) { return side.Write(i, text); });
    }
  }

  void ChangeName(const std::string& name) {
    const std::string other = DrawName();
    switch (Draw(4)) {
      case 0:
        return Both("unlink " + name, [&](Side& side) { return side.Unlink(name); });
      case 1:
        return Both("rename " + name + " " + other,
                    [&](Side& side) { return side.Rename(name, other); });
      case 2:
        return Both("link " + name + " " + other,
                    [&](Side& side) { return side.Link(name, other); });
      default:
        return Both("echo >> " + name,
                    [&](Side& side) { return side.Redirect(name, "line\n", O_APPEND); });
    }
  }

  void RunCommand(const std::string& name, const std::string& text) {
    const std::string other = DrawName();
    switch (Draw(6)) {
      case 0:
        return Content({"put", store(), name}, name, text,
                       [&](Side& side) { return side.Redirect(name, text, O_TRUNC); });
      case 1:
        return Command({"del", store(), name}, "", [&](Side& side) { return side.Unlink(name); });
      case 2:
        return Content({"batch", store()}, name,
                       "append " + name + " one\nappend " + name + " two\n",
                       [&](Side& side) { return side.Redirect(name, "onetwo", O_APPEND); });
      case 3:
        if (name == other) return;
        return Command({"mv", store(), name, other}, "",
                       [&](Side& side) { return side.Rename(name, other); });
      default:
        return Content({"append", store(), name}, name, text,
                       [&](Side& side) { return side.Redirect(name, text, O_APPEND); });
    }
  }

  void Compare() {
    EXPECT_EQ(mount_->Names(), plain_->Names());
    for (const std::string& name : plain_->Names()) {
      EXPECT_TRUE(mount_->DescribeName(name) == plain_->DescribeName(name)) << name << " differs";
      if (writeback_) continue;
      EXPECT_TRUE(RunKvfs({"get", store(), name}).out == ReadPath(plain_->Path(name))) << name;
    }
    for (size_t i = 0; i < plain_->open_files(); ++i) {
      EXPECT_TRUE(mount_->DescribeFile(i) == plain_->DescribeFile(i)) << "file " << i << " differs";
    }
  }

  std::mt19937 random_;
  bool writeback_ = false;
  Side* mount_ = nullptr;
  Side* plain_ = nullptr;
  std::string trace_;
};

TEST_F(MountBesideCommands, GiveWhatADirectoryGives) { Play(1, 120, /*writeback=*/false); }

TEST_F(MountBesideCommands, GiveWhatADirectoryGivesInAnotherOrder) {
  Play(2, 120, /*writeback=*/false);
}

TEST_F(MountBesideCommands, WithWriteBackLeaveContentsToTheMount) {
  Play(3, 120, /*writeback=*/true);
}

// Appenders with files already open, and commands, all at once: no line is lost or truncated.
TEST_F(MountBesideCommands, AppendWithoutOverwriting) {
  Create();
  Mount();
  const ProgramRun run = RunShell(
      "cd '" + mount_point() + "' && for w in 1 2; do (exec >>log; for i in $(seq 400); do " +
      "echo \"mount $w $i\"; done) & done; for i in $(seq 40); do echo \"command $i\" | '" +
      ProgramPath() + "' append '" + store() + "' log || exit 1; done; wait");
  ASSERT_EQ(run.status, 0) << run.err;
  std::ifstream file(mount_point() + "/log");
  std::multiset<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  EXPECT_EQ(lines.size(), 840u);
  for (int i = 1; i <= 40; ++i) EXPECT_EQ(lines.count("command " + std::to_string(i)), 1u);
  for (int i = 1; i <= 400; ++i) {
    EXPECT_EQ(lines.count("mount 1 " + std::to_string(i)), 1u);
    EXPECT_EQ(lines.count("mount 2 " + std::to_string(i)), 1u);
  }
}

}  // namespace
}  // namespace kvfs::cli
