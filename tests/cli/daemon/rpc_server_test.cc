// The daemon's replies, message by message, to a client on its socket.

#include "cli/daemon/rpc_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "cli/base/version.h"
#include "cli/client/requests.h"
#include "cli/client/store_socket.h"
#include "store/env/memory_env.h"
#include "tests/support/temporary_directory.h"

namespace kvfs::cli {
namespace {

class Daemon : public testing::Test {
 protected:
  Daemon() {
    EXPECT_TRUE(Store::Create(disk_, "store"));
    store_ = *Store::Open(disk_, "store");
    file_system_ = *fs::FileSystem::Open(*store_);
    service_ = *RpcServer::Start(directory_.path(), {*store_,
                                                     *file_system_,
                                                     {"noexec", "idle=5"},
                                                     [&] { return is_read_only_.load(); },
                                                     {},
                                                     [&] { return inner_mounts_; }});
    Connect();
  }

  // Receives the daemon's messages up to the one that ends its reply, which is the last element.
  std::vector<Message> Ask(const Message& message) {
    EXPECT_TRUE(channel_->Send(message));
    std::vector<Message> answer;
    do {
      auto received = channel_->Receive();
      EXPECT_TRUE(received && !received->empty());
      if (!received || received->empty()) return {{""}};
      answer.push_back(*std::move(received));
    } while (answer.back()[0] != request::kOk && answer.back()[0] != request::kError);
    return answer;
  }
  // The first field of the reply and, if it is an error, the next.
  Message Greet(const std::string& version, const std::string& protocol) {
    return Ask({"hello", version, protocol, EncodeNumber(077)}).back();
  }
  Message GreetRightly() { return Greet(kVersion, EncodeNumber(kProtocol)); }
  void Fill(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(store_->Put("a name of some length " + std::to_string(i), ""));
    }
  }
  static size_t CountEntries(const std::vector<Message>& answer) {
    size_t count = 0;
    for (const Message& message : answer) {
      if (message[0] != request::kEntries) continue;
      EXPECT_TRUE(DecodeEntries(message[1], [&](std::string_view, const auto&) -> Result<void> {
        ++count;
        return {};
      }));
    }
    return count;
  }

  std::optional<ErrorCode> Put(const std::string& path) {
    return Apply(fs::PathOperation::Kind::kPut, path);
  }
  std::optional<ErrorCode> Delete(const std::string& path) {
    return Apply(fs::PathOperation::Kind::kDelete, path);
  }
  std::optional<ErrorCode> Apply(fs::PathOperation::Kind kind, const std::string& path) {
    fs::PathOperation change;
    change.kind = kind;
    change.path = path;
    const Message answer = Ask({"apply", EncodeChange(change)}).back();
    if (answer[0] == request::kOk) return {};
    return static_cast<ErrorCode>(*DecodeNumber(answer[1]));
  }
  // Between two requests.
  void MountInside(std::vector<InnerMount> mounts) { inner_mounts_ = std::move(mounts); }
  uint64_t CountRequests() { return service_->CountRequests(); }
  void Disconnect() { channel_.reset(); }
  void Connect() { channel_.emplace(*ConnectToStore(directory_.path())); }
  void MakeReadOnly(bool is_read_only) { is_read_only_ = is_read_only; }

 private:
  std::atomic<bool> is_read_only_ = false;
  std::vector<InnerMount> inner_mounts_;
  TemporaryDirectory directory_;
  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<fs::FileSystem> file_system_;
  std::unique_ptr<RpcServer> service_;
  std::optional<Channel> channel_;
};

TEST_F(Daemon, ServesItsOwnVersionAndProtocolOnly) {
  const Message other_version = Greet("0.0.9", EncodeNumber(kProtocol));
  EXPECT_EQ(other_version[0], request::kError);
  EXPECT_EQ(other_version[1], EncodeNumber(static_cast<uint64_t>(ErrorCode::kUnsupported)));
  EXPECT_NE(other_version[2].find("unmount the store and mount it again"), std::string::npos);
  EXPECT_EQ(Greet(kVersion, EncodeNumber(kProtocol - 1))[0], request::kError);
  EXPECT_EQ(Ask({"hello", kVersion}).back()[0], request::kError);
  EXPECT_EQ(Ask({"hello", kVersion, EncodeNumber(kProtocol)}).back()[0], request::kError);
  EXPECT_EQ(Ask({"stat", "/"}).back()[0], request::kError);
  EXPECT_EQ(GreetRightly()[0], request::kOk);
  EXPECT_EQ(Ask({"stat", "/"}).back()[0], request::kOk);
}

TEST_F(Daemon, TakesTheUmaskOfWhoGreets) {
  GreetRightly();
  EXPECT_EQ(Put("a"), std::nullopt);
  const auto made = DecodeInode(Ask({"stat", "a"}).back()[1]);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->attributes.mode, 0100600u);
}

TEST_F(Daemon, TakesNoNameAwayWhereSomethingIsMounted) {
  GreetRightly();
  EXPECT_EQ(Put("a"), std::nullopt);
  EXPECT_EQ(Put("b"), std::nullopt);
  MountInside({{"a", "/mnt/a"}});
  EXPECT_EQ(Delete("a"), ErrorCode::kNotEmpty);
  EXPECT_EQ(Put("a"), std::nullopt);  // keeps the name
  EXPECT_EQ(Delete("b"), std::nullopt);
  MountInside({});
  EXPECT_EQ(Delete("a"), std::nullopt);
}

TEST_F(Daemon, ListsManyNamesInAMessage) {
  Fill(5000);
  GreetRightly();
  const auto answer = Ask({"list", "/"});
  EXPECT_EQ(CountEntries(answer), 5000u);
  EXPECT_LT(answer.size(), 20u);
  for (const Message& message : answer) {
    EXPECT_LT(message.back().size(), kEntriesBytes + 1000);
  }
}

TEST_F(Daemon, AnEmptyDirectoryIsNoMessage) {
  GreetRightly();
  EXPECT_EQ(Ask({"list", "/"}).size(), 1u);
}

TEST_F(Daemon, TellsTheOptionsOfTheMount) {
  GreetRightly();
  EXPECT_EQ(Ask({"options"}).back(), (Message{"ok", "noexec", "idle=5"}));
}

TEST_F(Daemon, ChangesNothingWhileTheMountIsForReadingOnly) {
  GreetRightly();
  MakeReadOnly(true);
  EXPECT_EQ(Put("a"), ErrorCode::kReadOnly);
  MakeReadOnly(false);
  EXPECT_EQ(Put("a"), std::nullopt);
}

// Activity that prevents an idle unmount.
TEST_F(Daemon, AConnectionIsUse) {
  GreetRightly();
  const uint64_t before = CountRequests();
  EXPECT_GT(CountRequests(), before);
  Disconnect();
  uint64_t idle = 0;
  while (idle != CountRequests()) idle = CountRequests();
  Connect();
  GreetRightly();
  EXPECT_GT(CountRequests(), idle);
}

}  // namespace
}  // namespace kvfs::cli
