// A request that may end after its service has returned: its status block and its data in requestor memory, and where
// they go when it is done. Not for siblings.
//
// Life: 1. made by a service. 2. Start: in the table, which holds it too. 3. io says that its status block was written
// (Done): data and status block are copied to the program, before anything is signalled; the table's hold goes, or
// passes to the APC that follows. Or the service learns from the status it gets that there was nothing to tell, and
// takes it off the table. A request whose APC is discarded with its thread is not freed.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "src/ntdll/call.h"

namespace nt::ntdll {

class Request {
 public:
  Request(IO_STATUS_BLOCK* iosb, PIO_APC_ROUTINE apc, void* apc_context);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Data that the program gives.
  void* In(const void* data, size_t bytes);
  /// Data that the program gets: as many bytes as the status block says. @param in  and gives
  void* Out(void* data, size_t bytes, bool in = false);
  /// After In and Out: what the service is given. Nothing of the program is in reach of a request without these.
  struct Arguments {
    PIO_APC_ROUTINE apc;
    void* context;
    IO_STATUS_BLOCK* iosb;
  };
  Arguments Start();

  /// Drops the service's hold. `status` is what the service returned.
  Status Returned(NTSTATUS status);
  /// io's word that the status block is written.
  static void Done(IO_STATUS_BLOCK* iosb);
  /// The status block that the service saw for one of the program's, for NtCancelIoFileEx; itself when there is none.
  static IO_STATUS_BLOCK* Translate(IO_STATUS_BLOCK* iosb);

 private:
  struct Data {
    Piece piece;
    void* to;
  };
  static VOID NTIO_MS_ABI RunApc(PVOID context, PIO_STATUS_BLOCK iosb, ULONG reserved);
  Status CopyBack();
  void Drop();
  bool Tracked() const { return iosb_piece_ || in_ || out_; }

  IO_STATUS_BLOCK* const program_iosb_;
  IO_STATUS_BLOCK* service_iosb_;
  const PIO_APC_ROUTINE program_apc_;
  void* const program_apc_context_;
  std::optional<Piece> iosb_piece_;
  std::optional<Piece> in_;
  std::optional<Data> out_;
  std::atomic<int> holds_{1};
  std::atomic<bool> done_{false};
  Status copied_ = STATUS_SUCCESS;  // of Done
};

/// Runs a service that may pend.
///   return AsRequest(iosb, apc, context, [&](Call& call, Request& request) -> NTSTATUS { ... });
template <class F>
NTSTATUS AsRequest(IO_STATUS_BLOCK* iosb, PIO_APC_ROUTINE apc, void* context, F&& body) {
  return Service([&](Call& call) -> NTSTATUS {
    auto* request = new Request(iosb, apc, context);
    NTSTATUS status;
    try {
      status = body(call, *request);
    } catch (const SehException& exception) {
      status = exception.code();
    }
    const Status copied = request->Returned(status);
    return copied.ok() ? status : static_cast<NTSTATUS>(copied);
  });
}

}  // namespace nt::ntdll
