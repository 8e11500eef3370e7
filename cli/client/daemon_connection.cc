// Greets the daemon, and decides how long to wait for its replies.

#include "cli/client/daemon_connection.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "cli/base/interruption.h"
#include "cli/base/own_umask.h"
#include "cli/base/user_message.h"
#include "cli/base/version.h"
#include "cli/base/waiting.h"
#include "cli/client/requests.h"
#include "cli/client/store_socket.h"

namespace kvfs::cli {
namespace {

// If a reply takes longer than this, a new connection tests whether the daemon is there; also the
// interval between questions whether to keep waiting for its greeting.
constexpr std::chrono::seconds kSilence{1};
constexpr std::chrono::milliseconds kStep{200};
// Seconds until the user is told that the daemon is at work.
constexpr int kLongWork = 10;
Error ErrorOf(const Message& message, size_t* failed) {
  if (message.size() != 4) return MalformedReply().value();
  const auto code = DecodeNumber(message[1]);
  const auto index = DecodeNumber(message[3]);
  if (!code || !index) return MalformedReply().value();
  if (failed != nullptr) *failed = *index;
  return {static_cast<ErrorCode>(*code), message[2]};
}

tl::unexpected<Error> Silence() {
  return Fail(ErrorCode::kIo, WithWaited("its daemon does not answer"));
}

std::string SayThatItIsSilent(const std::string& store_path) {
  const auto daemon = DaemonProcess::OfStore(store_path);
  return fmt::format(
      "the daemon of {}{}, {}", store_path,
      daemon ? fmt::format(", process {}", daemon->pid()) : "",
      daemon && daemon->IsStopped() ? "is stopped (`kill -CONT` resumes it)" : "does not answer");
}

// Decides, while the daemon sends nothing, whether it is working, for which there is no limit, or
// does not even greet, which has a limit.
class Patience {
 public:
  explicit Patience(std::string store_path) : store_path_(std::move(store_path)) {}

  Result<void> OnSilence() {
    KVFS_TRY(CheckNotInterrupted());
    if (!waiting_) waiting_.emplace([this] { return SayThatItIsSilent(store_path_); }, kSilence);
    if (DaemonConnection::Open(store_path_, [this] { return waiting_->GoesOn(); })) {
      waiting_.reset();
      RenewWaits();
      if (++seconds_at_work_ == kLongWork) {
        Tell(Severity::kNotice,
             fmt::format("the daemon of {} is still working on it", store_path_));
      }
      return {};
    }
    return waiting_->GoesOn() ? Result<void>() : Silence();
  }

 private:
  const std::string store_path_;
  std::optional<Waiting> waiting_;
  int seconds_at_work_ = 0;
};

}  // namespace

Result<DaemonConnection> DaemonConnection::Open(const std::string& store_path) {
  Waiting waiting([&] { return SayThatItIsSilent(store_path); });
  return Open(store_path, [&] { return waiting.GoesOn(); });
}

Result<DaemonConnection> DaemonConnection::Open(const std::string& store_path,
                                                const std::function<bool()>& waits_on) {
  KVFS_ASSIGN(Channel channel, ConnectToStore(store_path));
  channel.SetPatience(kStep, [&] { return waits_on() ? Result<void>() : Silence(); });
  DaemonConnection connection(std::move(channel), DaemonProcess::OfStore(store_path));
  const auto greeted = connection.Ask(
      {std::string(request::kHello), kVersion, EncodeNumber(kProtocol), EncodeNumber(OwnUmask())});
  if (!greeted && greeted.error().code == ErrorCode::kIo) return Silence();
  if (!greeted) return tl::unexpected(greeted.error());
  connection.channel_.SetPatience(kSilence, [patience = std::make_shared<Patience>(store_path)] {
    return patience->OnSilence();
  });
  return connection;
}

Result<Message> DaemonConnection::Ask(const Message& message, size_t* failed) {
  const auto sent = channel_.Send(message);
  is_gone_ = is_gone_ || (!sent && sent.error().code == ErrorCode::kIo);
  if (!sent) return tl::unexpected(sent.error());
  return AwaitOk(failed);
}

bool DaemonConnection::HasEndedWell() const {
  if (!is_gone_ || !daemon_ || daemon_->IsMounted()) return false;
  Waiting waiting([&] {
    return fmt::format("process {} is closing the store {}", daemon_->pid(), daemon_->store_path());
  });
  return daemon_->AwaitEnd([&] { return waiting.GoesOn(); }) == DaemonProcess::End::kClean;
}

std::vector<InnerMount> DaemonConnection::inner_mounts() const {
  return daemon_ ? InnerMountsOf(daemon_->mount_point()) : std::vector<InnerMount>();
}

Result<Message> DaemonConnection::AwaitOk(size_t* failed) {
  auto received = channel_.Receive();
  is_gone_ = is_gone_ || (!received && received.error().code == ErrorCode::kIo);
  KVFS_ASSIGN(Message answer, std::move(received));
  if (answer.empty()) return MalformedReply();
  if (answer[0] == request::kError) return tl::unexpected(ErrorOf(answer, failed));
  if (answer[0] != request::kOk) return MalformedReply();
  answer.erase(answer.begin());
  return answer;
}

Result<Message> DaemonConnection::AskMany(const Message& message,
                                          const std::function<Result<void>(const Message&)>& take) {
  KVFS_TRY(channel_.Send(message));
  while (true) {
    KVFS_ASSIGN(Message answer, channel_.Receive());
    if (answer.empty()) return MalformedReply();
    if (answer[0] == request::kError) return tl::unexpected(ErrorOf(answer, nullptr));
    if (answer[0] == request::kOk) {
      answer.erase(answer.begin());
      return answer;
    }
    KVFS_TRY(take(answer));
  }
}

Message Request(std::string_view verb) { return {std::string(verb)}; }

Message Request(std::string_view verb, std::string field) {
  return {std::string(verb), std::move(field)};
}

tl::unexpected<Error> MalformedReply() {
  return Fail(ErrorCode::kInvalid, "the daemon's reply is malformed");
}

}  // namespace kvfs::cli
