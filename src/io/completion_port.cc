// I/O completion ports: a KQUEUE whose entries say which request ended. Type IoCompletion.
#include "src/io/internal.h"

namespace nt::io {
namespace {

struct Packet {
  LIST_ENTRY entry;
  void* key;
  void* apc_context;
  IO_STATUS_BLOCK result;
};

Status ReferencePort(HANDLE handle, ACCESS_MASK access, KPROCESSOR_MODE mode, Ref<KQUEUE>* port) {
  return ob::ReferenceObjectByHandle(handle, access, g_state->completion_type, mode, port->out(), nullptr);
}

}  // namespace

void RemoveCompletionPort(void* object) {
  PLIST_ENTRY first = ke::RundownQueue(static_cast<KQUEUE*>(object));
  if (!first) return;
  PLIST_ENTRY entry = first;
  do {
    PLIST_ENTRY next = entry->Flink;
    ex::FreePool(CONTAINING_RECORD(entry, Packet, entry));
    entry = next;
  } while (entry != first);
}

Status QueueMiniPacket(KQUEUE* port, void* key, void* apc_context, NTSTATUS status, ULONG_PTR information) {
  auto* packet = ex::PoolNew<Packet>('pcoI');
  if (!packet) return STATUS_INSUFFICIENT_RESOURCES;
  packet->key = key;
  packet->apc_context = apc_context;
  packet->result.Status = status;
  packet->result.Information = information;
  ke::InsertQueue(port, &packet->entry);
  return STATUS_SUCCESS;
}

Status NtCreateIoCompletion(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, ULONG threads) {
  void* body;
  NT_TRY(ob::CreateObject(g_state->completion_type, sizeof(KQUEUE), &body));
  ke::InitializeQueue(static_cast<KQUEUE*>(body), threads);
  HANDLE made = nullptr;
  Status status = ob::InsertObject(body, attributes, access, &made);
  ob::DereferenceObject(body);
  if (!status.ok()) return status;
  return Guarded([&] { ldr::WriteUser(handle, made); });
}

Status NtSetIoCompletion(HANDLE handle, void* key, void* apc_context, NTSTATUS status, ULONG_PTR information) {
  Ref<KQUEUE> port;
  NT_TRY(ReferencePort(handle, IO_COMPLETION_MODIFY_STATE, PreviousMode(), &port));
  return QueueMiniPacket(port.get(), key, apc_context, status, information);
}

Status NtOpenIoCompletion(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes) {
  HANDLE opened = nullptr;
  NT_TRY(ob::OpenObjectByName(attributes, g_state->completion_type, PreviousMode(), nullptr, access, nullptr, &opened));
  return Guarded([&] { ldr::WriteUser(handle, opened); });
}

Status NtQueryIoCompletion(HANDLE handle, IO_COMPLETION_INFORMATION_CLASS information_class, void* buffer, ULONG length,
                           ULONG* returned) {
  if (information_class != IoCompletionBasicInformation) return STATUS_INVALID_INFO_CLASS;
  if (length != sizeof(IO_COMPLETION_BASIC_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  const KPROCESSOR_MODE mode = PreviousMode();
  if (mode != KernelMode)
    NT_TRY(Guarded([&] {
      ldr::ProbeForWrite(buffer, length, 4);
      if (returned) ldr::ProbeForWrite(returned, sizeof *returned, 4);
    }));
  Ref<KQUEUE> port;
  NT_TRY(ReferencePort(handle, IO_COMPLETION_QUERY_STATE, mode, &port));
  const IO_COMPLETION_BASIC_INFORMATION answer{ke::ReadStateQueue(port.get())};
  return Guarded([&] {
    ldr::WriteUser(static_cast<IO_COMPLETION_BASIC_INFORMATION*>(buffer), answer);
    if (returned) ldr::WriteUser(returned, static_cast<ULONG>(sizeof answer));
  });
}

Status NtRemoveIoCompletionEx(HANDLE handle, FILE_IO_COMPLETION_INFORMATION* information, ULONG count, ULONG* removed,
                              LARGE_INTEGER* timeout, bool alertable) {
  constexpr ULONG kAtOnce = 32;  // fewer than any status RemoveQueueEx returns
  if (count == 0) return STATUS_INVALID_PARAMETER;
  const KPROCESSOR_MODE mode = PreviousMode();
  LARGE_INTEGER interval{};
  NT_TRY(Guarded([&] {
    if (mode != KernelMode) {
      ldr::ProbeForWrite(information, sizeof *information * static_cast<SIZE_T>(count), 8);
      ldr::ProbeForWrite(removed, sizeof *removed, 4);
    }
    if (timeout) interval = ldr::ReadUser(timeout);
  }));
  Ref<KQUEUE> port;
  NT_TRY(ReferencePort(handle, IO_COMPLETION_MODIFY_STATE, mode, &port));
  PLIST_ENTRY entries[kAtOnce];
  const ULONG taken = ke::RemoveQueueEx(port.get(), mode, alertable, timeout ? &interval : nullptr, entries,
                                        count < kAtOnce ? count : kAtOnce);
  if (taken > kAtOnce) {
    Status written = Guarded([&] { ldr::WriteUser(removed, 0u); });
    return written.ok() ? Status(static_cast<NTSTATUS>(taken)) : written;
  }
  FILE_IO_COMPLETION_INFORMATION copies[kAtOnce];
  for (ULONG i = 0; i < taken; i++) {
    auto* packet = CONTAINING_RECORD(entries[i], Packet, entry);
    copies[i] = {packet->key, packet->apc_context, packet->result};
    ex::FreePool(packet);
  }
  return Guarded([&] {
    ldr::CopyToUser(information, copies, sizeof *copies * taken);
    ldr::WriteUser(removed, taken);
  });
}

Status NtRemoveIoCompletion(HANDLE handle, void** key, void** apc_context, IO_STATUS_BLOCK* iosb, LARGE_INTEGER* timeout) {
  const KPROCESSOR_MODE mode = PreviousMode();
  LARGE_INTEGER interval{};
  NT_TRY(Guarded([&] {
    if (mode != KernelMode) {
      ldr::ProbeForWrite(key, sizeof *key, 8);
      ldr::ProbeForWrite(apc_context, sizeof *apc_context, 8);
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
    }
    if (timeout) interval = ldr::ReadUser(timeout);
  }));
  Ref<KQUEUE> port;
  NT_TRY(ReferencePort(handle, IO_COMPLETION_MODIFY_STATE, mode, &port));
  PLIST_ENTRY entry = ke::RemoveQueue(port.get(), mode, timeout ? &interval : nullptr);
  const auto value = reinterpret_cast<LONG_PTR>(entry);
  if (value == STATUS_TIMEOUT || value == STATUS_USER_APC || value == STATUS_ABANDONED)
    return static_cast<NTSTATUS>(value);
  auto* packet = CONTAINING_RECORD(entry, Packet, entry);
  const Packet copy = *packet;
  ex::FreePool(packet);
  return Guarded([&] {
    ldr::WriteUser(key, copy.key);
    ldr::WriteUser(apc_context, copy.apc_context);
    ldr::WriteUser(iosb, copy.result);
  });
}

}  // namespace nt::io
