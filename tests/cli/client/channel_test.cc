// Messages over a pair of sockets, and their fields.

#include "cli/client/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/client/keys.h"
#include "cli/client/requests.h"

namespace kvfs::cli {
namespace {

class ChannelPair : public testing::Test {
 protected:
  ChannelPair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    one_ = std::make_unique<Channel>(Descriptor(ends[0]));
    other_ = std::make_unique<Channel>(Descriptor(ends[1]));
  }
  void SendBytes(std::string_view bytes) {
    ASSERT_EQ(::write(one_->descriptor(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<Channel> one_, other_;
};

TEST_F(ChannelPair, MessagesComeAsTheyWent) {
  const Message message = {"verb", "", std::string("\0\n", 2), std::string(5000, 'x')};
  ASSERT_TRUE(one_->Send(message));
  ASSERT_TRUE(one_->Send({}));
  EXPECT_EQ(*other_->Receive(), message);
  EXPECT_EQ(*other_->Receive(), Message());
}

TEST_F(ChannelPair, TheEndOfTheOtherSideIsAnError) {
  SendBytes(std::string("\x02\0\0\0\x01\0\0\0a\x05", 10));
  one_.reset();
  EXPECT_EQ(other_->Receive().error().code, ErrorCode::kIo);
  EXPECT_TRUE(other_->has_ended());
  EXPECT_EQ(other_->Send({std::string(1 << 20, 'x')}).error().code, ErrorCode::kIo);
}

TEST_F(ChannelPair, MoreFieldsOrBytesThanAllowedAreRefused) {
  SendBytes("\xff\xff\xff\xff");
  EXPECT_EQ(other_->Receive().error().code, ErrorCode::kInvalid);
  SendBytes(std::string("\x01\0\0\0\xff\xff\xff\xff", 8));
  EXPECT_EQ(other_->Receive().error().code, ErrorCode::kInvalid);
}

TEST_F(ChannelPair, AnInterruptEndsTheWait) {
  other_->Interrupt();
  EXPECT_FALSE(other_->Receive());
}

// After one wait has timed out, no other call waits.
TEST_F(ChannelPair, PatienceEndsOnce) {
  int asked = 0;
  other_->SetPatience(std::chrono::milliseconds(10), [&]() -> Result<void> {
    return ++asked < 3 ? Result<void>() : Fail(ErrorCode::kIo, "it does not answer");
  });
  for (int call = 0; call < 3; ++call) {
    EXPECT_EQ(other_->Receive().error().message, "it does not answer");
    EXPECT_FALSE(other_->Send({"more"}));
  }
  EXPECT_EQ(asked, 3);
  EXPECT_FALSE(other_->has_ended());
}

TEST(Keys, TheTopHasANameInMessages) {
  const CommandError error = ExplainKeyError("list", "", "/s", Error{ErrorCode::kIo, "it failed"});
  EXPECT_EQ(error.text, "cannot list / in /s: it failed");
}

TEST(Requests, ChangesComeBack) {
  fs::PathOperation change;
  change.kind = fs::PathOperation::Kind::kMove;
  change.path = "a/b";
  change.to = "c:";
  change.data = std::string("1:\0", 3);
  change.version = 17;
  change.attributes.emplace();
  change.attributes->mode = 0100644;
  change.attributes->uid = 5;
  const auto back = DecodeChange(EncodeChange(change));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->path, change.path);
  EXPECT_EQ(back->to, change.to);
  EXPECT_EQ(back->data, change.data);
  EXPECT_EQ(back->version, 17u);
  EXPECT_EQ(back->attributes, change.attributes);
  EXPECT_EQ(EncodeChange(*back), EncodeChange(change));
}

TEST(Requests, EntriesComeBackInTheirOrder) {
  fs::InodeInfo inode;
  inode.attributes.mode = 0100644;
  std::string entries;
  const std::vector<std::string> names = {"a", std::string("7:\0", 3), std::string(255, 'x')};
  for (const std::string& name : names) {
    inode.number += 5;
    AppendEntry(entries, name, inode);
  }
  std::vector<std::string> seen;
  const auto take = [&](std::string_view name, const fs::InodeInfo& each) -> Result<void> {
    seen.emplace_back(name);
    EXPECT_EQ(each.number, 5 * seen.size());
    return {};
  };
  EXPECT_TRUE(DecodeEntries(entries, take));
  EXPECT_EQ(seen, names);
  seen.clear();
  EXPECT_FALSE(DecodeEntries(entries.substr(0, entries.size() - 1), take));
}

TEST(Requests, CutOffFieldsAreRefused) {
  fs::InodeInfo inode;
  inode.number = 7;
  inode.attributes.mode = 0100644;
  const std::string whole = EncodeInode(inode);
  ASSERT_TRUE(DecodeInode(whole));
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(DecodeInode(whole.substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace kvfs::cli
