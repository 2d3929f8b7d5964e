#include "src/ntdll/request.h"

#include <algorithm>
#include <unordered_map>

#include "src/base/lock.h"
#include "src/ldr/export.h"
#include "src/ldr/user_access.h"

namespace nt::ntdll {
namespace {

struct Table {
  Lock lock{LockRank::kMachine};
  std::unordered_map<const IO_STATUS_BLOCK*, Request*> requests NT_GUARDED_BY(lock);  // by the service's status block
};
Table& TheTable() {
  static Table table;
  return table;
}

}  // namespace

Request::Request(IO_STATUS_BLOCK* iosb, PIO_APC_ROUTINE apc, void* apc_context)
    : program_iosb_(iosb), service_iosb_(iosb), program_apc_(apc), program_apc_context_(apc_context) {
  if (!IsForeign(iosb)) return;
  iosb_piece_.emplace(sizeof(IO_STATUS_BLOCK));
  service_iosb_ = reinterpret_cast<IO_STATUS_BLOCK*>(iosb_piece_->data());
  // What is not written stays as it is: the copy begins as the original.
  if (!ldr::TryCopy(service_iosb_, iosb, sizeof *iosb).ok()) service_iosb_ = nullptr;
}

void* Request::In(const void* data, size_t bytes) {
  if (!bytes || !IsForeign(data)) return const_cast<void*>(data);
  in_.emplace(bytes);
  ldr::CopyUser(in_->data(), data, bytes);
  return in_->data();
}

void* Request::Out(void* data, size_t bytes, bool in) {
  if (!bytes || !IsForeign(data)) return data;
  out_.emplace(Data{Piece(bytes), data});
  if (in) ldr::CopyUser(out_->piece.data(), data, bytes);
  return out_->piece.data();
}

Request::Arguments Request::Start() {
  if (!Tracked() || !service_iosb_) return {program_apc_, program_apc_context_, service_iosb_};
  holds_.store(2, std::memory_order_relaxed);
  LockGuard guard(TheTable().lock);
  TheTable().requests[service_iosb_] = this;
  return {program_apc_ ? RunApc : nullptr, program_apc_ ? this : program_apc_context_, service_iosb_};
}

Status Request::CopyBack() {
  const IO_STATUS_BLOCK result = *service_iosb_;
  Status status = STATUS_SUCCESS;
  if (out_ && !NT_ERROR(result.Status)) {
    const size_t bytes = std::min<size_t>(result.Information, out_->piece.bytes());
    status = ldr::TryCopy(out_->to, out_->piece.data(), bytes);
  }
  if (!iosb_piece_) return status;  // the service has written the program's own
  // The status last: a program that polls it must find the data.
  std::atomic_thread_fence(std::memory_order_release);
  if (Status written = ldr::TryCopy(&program_iosb_->Information, &result.Information, sizeof result.Information);
      !written.ok())
    status = written;
  if (status.ok()) status = ldr::TryCopy(&program_iosb_->Pointer, &result.Pointer, sizeof result.Pointer);
  return status;
}

void Request::Drop() {
  if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Request::Done(IO_STATUS_BLOCK* iosb) {
  Request* request = nullptr;
  {
    LockGuard guard(TheTable().lock);
    auto found = TheTable().requests.find(iosb);
    if (found == TheTable().requests.end()) return;
    request = found->second;  // with the table's hold
    TheTable().requests.erase(found);
  }
  request->copied_ = request->CopyBack();  // fails when the program took its memory away
  request->done_.store(true, std::memory_order_release);
  if (!request->program_apc_) request->Drop();  // else RunApc drops it
}

IO_STATUS_BLOCK* Request::Translate(IO_STATUS_BLOCK* iosb) {
  if (!IsForeign(iosb)) return iosb;
  LockGuard guard(TheTable().lock);
  for (const auto& [service, request] : TheTable().requests)
    if (request->program_iosb_ == iosb) return request->service_iosb_;
  return iosb;
}

VOID NTIO_MS_ABI Request::RunApc(PVOID context, PIO_STATUS_BLOCK, ULONG reserved) {
  auto* request = static_cast<Request*>(context);
  const PIO_APC_ROUTINE routine = request->program_apc_;
  void* program_context = request->program_apc_context_;
  IO_STATUS_BLOCK* iosb = request->program_iosb_;
  request->Drop();
  routine(program_context, iosb, reserved);
}

Status Request::Returned(NTSTATUS status) {
  Status result = STATUS_SUCCESS;
  if (done_.load(std::memory_order_acquire)) {
    if (!NT_ERROR(status) && status != STATUS_PENDING) result = copied_;
  } else if (status != STATUS_PENDING) {
    // Ended at once: by fast I/O, which writes the status block itself, or by an error that nobody is told of.
    bool on_table;
    {
      LockGuard guard(TheTable().lock);
      auto found = TheTable().requests.find(service_iosb_);
      on_table = found != TheTable().requests.end() && found->second == this;
      if (on_table) TheTable().requests.erase(found);
    }
    if (on_table) {
      if (!NT_ERROR(status)) result = CopyBack();
      Drop();
    }
  }
  Drop();
  return result;
}

}  // namespace nt::ntdll
