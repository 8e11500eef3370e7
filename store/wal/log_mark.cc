// An error ends only the mark.
#include "store/wal/log_mark.h"

namespace kvfs {
namespace {

constexpr uint64_t kFileBytes = 4096;

Result<std::unique_ptr<File>> OpenOrCreate(Env& env, const std::string& path) {
  auto file = env.OpenFile(path);
  if (file || file.error().code != ErrorCode::kNotFound) return file;
  return env.CreateFile(path);
}

std::optional<format::LogMark> ReadFrom(const File& file, const format::StoreId& store,
                                        const std::string& residence) {
  std::byte bytes[format::kLogMarkBytes];
  if (!file.Read(0, bytes)) return std::nullopt;
  return format::LogMark::Decode(bytes, store, residence);
}

}  // namespace

std::optional<format::LogMark> LogMarkFile::Read(Env& env, const std::string& path,
                                                 const format::StoreId& store) {
  const auto file = env.OpenFile(path, Access::kReadOnly);
  return file ? ReadFrom(**file, store, (*file)->Residence()) : std::nullopt;
}

// The old places are cleared before the header names this life, unless they are valid for this life
// as well, and must survive a crash between the two writes.
void LogMarkFile::Begin(Env& env, const std::string& path, const format::StoreId& store,
                        uint64_t life, uint64_t sequence) {
  file_.reset();
  auto file = OpenOrCreate(env, path);
  if (!file || !(*file)->Allocate(0, kFileBytes)) return;
  const std::string residence = (*file)->Residence();
  (*file)->MapForWriting(kFileBytes);
  const auto present = ReadFrom(**file, store, residence);
  const bool holds = present && present->sequence <= sequence;
  const std::byte empty[2 * format::kLogMarkPlaceBytes] = {};
  if (residence.empty()) return;
  if (!holds && !(*file)->Write(format::kLogMarkHeaderBytes, empty)) return;
  if (!(*file)->Write(0, format::LogMark::EncodeHeader(store, life, residence))) return;
  file_ = *std::move(file);
  Set(sequence);
}

// A mark that lags behind claims too little, which does no harm.
void LogMarkFile::Set(uint64_t sequence) {
  if (file_ == nullptr) return;
  const auto place = format::EncodeLogMarkSequence(sequence);
  if (!file_->Write(format::LogMarkPlace(sequence), place)) file_.reset();
}

void LogMarkFile::Forget() {
  if (file_ == nullptr) return;
  const std::byte empty[format::kLogMarkHeaderBytes] = {};
  static_cast<void>(file_->Write(0, empty));
  file_.reset();
}

}  // namespace kvfs
