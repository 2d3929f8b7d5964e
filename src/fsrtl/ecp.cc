// Extra create parameters: typed blobs that ride on a create request. A list owns its parameters; a list on an IRP is found
// through io. The header before a parameter's context is this package's.
#include <cstring>

#include "src/base/check.h"
#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/io/io.h"
#include "src/ldr/call.h"

struct _ECP_LIST {
  ULONG signature;
  ULONG flags;
  LIST_ENTRY entries;  // of _ECP_HEADER::links
};

struct _ECP_HEADER {
  ULONG signature;
  ULONG flags;
  LIST_ENTRY links;  // self-linked while in no list
  GUID type;
  PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup;
  ULONG context_bytes;
  void* lookaside;  // where it came from; null: pool
};

namespace nt::fsrtl {
namespace {

constexpr ULONG kListSignature = 'LpcE';
constexpr ULONG kSignature = 'HpcE';
constexpr ULONG kAcknowledged = 1, kFromUserMode = 2;
/// The context is as aligned as pool.
constexpr size_t kHeaderBytes = (sizeof(_ECP_HEADER) + 15) & ~size_t{15};

_ECP_HEADER* HeaderOfContext(void* context) {
  auto* const header = reinterpret_cast<_ECP_HEADER*>(static_cast<char*>(context) - kHeaderBytes);
  CHECK_MSG(header->signature == kSignature, "no extra create parameter");
  return header;
}
void* ContextOf(_ECP_HEADER* header) { return reinterpret_cast<char*>(header) + kHeaderBytes; }

_ECP_HEADER* Find(PECP_LIST list, LPCGUID type) {
  for (PLIST_ENTRY entry = list->entries.Flink; entry != &list->entries; entry = entry->Flink) {
    auto* const header = CONTAINING_RECORD(entry, _ECP_HEADER, links);
    if (memcmp(&header->type, type, sizeof(GUID)) == 0) return header;
  }
  return nullptr;
}

void Report(_ECP_HEADER* header, void** context, ULONG* bytes) {
  if (context) *context = ContextOf(header);
  if (bytes) *bytes = header->context_bytes;
}

void Initialize(_ECP_HEADER* header, LPCGUID type, ULONG bytes, ULONG flags,
                PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup, void* lookaside) {
  memset(header, 0, kHeaderBytes + bytes);
  header->signature = kSignature;
  header->flags = flags;
  InitializeListHead(&header->links);
  header->type = *type;
  header->cleanup = cleanup;
  header->context_bytes = bytes;
  header->lookaside = lookaside;
}

}  // namespace

Status AllocateExtraCreateParameterList(ULONG flags, PECP_LIST* list) {
  static_cast<void>(flags);  // no quota
  auto* const fresh = static_cast<PECP_LIST>(ex::AllocatePoolWithTag(PagedPool, sizeof(_ECP_LIST), kListSignature));
  if (!fresh) return STATUS_INSUFFICIENT_RESOURCES;
  fresh->signature = kListSignature;
  fresh->flags = 0;
  InitializeListHead(&fresh->entries);
  *list = fresh;
  return STATUS_SUCCESS;
}

void FreeExtraCreateParameterList(PECP_LIST list) {
  CHECK_MSG(list->signature == kListSignature, "no list of extra create parameters");
  while (!IsListEmpty(&list->entries)) {
    auto* const header = CONTAINING_RECORD(RemoveHeadList(&list->entries), _ECP_HEADER, links);
    InitializeListHead(&header->links);
    FreeExtraCreateParameter(ContextOf(header));
  }
  ex::FreePool(list);
}

Status AllocateExtraCreateParameter(LPCGUID type, ULONG bytes, ULONG flags,
                                    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup, ULONG tag, void** context) {
  *context = nullptr;
  const POOL_TYPE pool = (flags & FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL) ? NonPagedPoolNx : PagedPool;
  if (bytes > MAXULONG - kHeaderBytes) return STATUS_INTEGER_OVERFLOW;
  auto* const header = static_cast<_ECP_HEADER*>(ex::AllocatePoolWithTag(pool, kHeaderBytes + bytes, tag));
  if (!header) return STATUS_INSUFFICIENT_RESOURCES;
  Initialize(header, type, bytes, 0, cleanup, nullptr);
  *context = ContextOf(header);
  return STATUS_SUCCESS;
}

void FreeExtraCreateParameter(void* context) {
  _ECP_HEADER* const header = HeaderOfContext(context);
  CHECK_MSG(IsListEmpty(&header->links), "an extra create parameter is freed in its list");
  if (header->cleanup) CallDriver(header->cleanup, context, static_cast<LPCGUID>(&header->type));
  header->signature = 0;
  if (!header->lookaside) return ex::FreePool(header);
  auto* const list = static_cast<GENERAL_LOOKASIDE_POOL*>(header->lookaside);
  CallDriver(list->Free, static_cast<PVOID>(header));
}

Status InsertExtraCreateParameter(PECP_LIST list, void* context) {
  _ECP_HEADER* const header = HeaderOfContext(context);
  if (Find(list, &header->type)) return STATUS_INVALID_PARAMETER;  // one of each type
  if (!IsListEmpty(&header->links)) return STATUS_INVALID_PARAMETER;
  InsertTailList(&list->entries, &header->links);
  return STATUS_SUCCESS;
}

Status FindExtraCreateParameter(PECP_LIST list, LPCGUID type, void** context, ULONG* bytes) {
  _ECP_HEADER* const header = Find(list, type);
  if (!header) return STATUS_NOT_FOUND;
  Report(header, context, bytes);
  return STATUS_SUCCESS;
}

Status RemoveExtraCreateParameter(PECP_LIST list, LPCGUID type, void** context, ULONG* bytes) {
  _ECP_HEADER* const header = Find(list, type);
  if (!header) return STATUS_NOT_FOUND;
  RemoveEntryList(&header->links);
  InitializeListHead(&header->links);
  Report(header, context, bytes);
  return STATUS_SUCCESS;
}

Status GetNextExtraCreateParameter(PECP_LIST list, void* current, LPGUID next_type, void** next, ULONG* next_bytes) {
  PLIST_ENTRY const entry = current ? HeaderOfContext(current)->links.Flink : list->entries.Flink;
  if (entry == &list->entries) {
    if (next) *next = nullptr;
    return STATUS_NOT_FOUND;
  }
  auto* const header = CONTAINING_RECORD(entry, _ECP_HEADER, links);
  if (next_type) *next_type = header->type;
  Report(header, next, next_bytes);
  return STATUS_SUCCESS;
}

void AcknowledgeEcp(void* context) { HeaderOfContext(context)->flags |= kAcknowledged; }
bool IsEcpAcknowledged(void* context) { return HeaderOfContext(context)->flags & kAcknowledged; }
bool IsEcpFromUserMode(void* context) { return HeaderOfContext(context)->flags & kFromUserMode; }
void PrepareToReuseEcp(void* context) { HeaderOfContext(context)->flags &= ~kAcknowledged; }

void InitExtraCreateParameterLookasideList(void* lookaside, ULONG flags, SIZE_T bytes, ULONG tag) {
  const POOL_TYPE pool = (flags & FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL) ? NonPagedPoolNx : PagedPool;
  ex::InitializeLookaside(static_cast<GENERAL_LOOKASIDE_POOL*>(lookaside), nullptr, nullptr, pool, kHeaderBytes + bytes,
                          tag);
}

void DeleteExtraCreateParameterLookasideList(void* lookaside, ULONG flags) {
  static_cast<void>(flags);
  ex::FlushLookaside(static_cast<GENERAL_LOOKASIDE_POOL*>(lookaside), nullptr);
}

Status AllocateExtraCreateParameterFromLookasideList(LPCGUID type, ULONG bytes, ULONG flags,
                                                     PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK cleanup,
                                                     void* lookaside, void** context) {
  static_cast<void>(flags);
  *context = nullptr;
  auto* const list = static_cast<GENERAL_LOOKASIDE_POOL*>(lookaside);
  if (kHeaderBytes + bytes > list->Size) return STATUS_INVALID_PARAMETER;
  auto* const header =
      static_cast<_ECP_HEADER*>(CallDriver(list->Allocate, list->Type, static_cast<SIZE_T>(list->Size), list->Tag));
  if (!header) return STATUS_INSUFFICIENT_RESOURCES;
  Initialize(header, type, bytes, 0, cleanup, lookaside);
  *context = ContextOf(header);
  return STATUS_SUCCESS;
}

Status GetEcpListFromIrp(PIRP irp, PECP_LIST* list) {
  *list = nullptr;
  // A request without a list is no failure.
  io::GetIrpExtraCreateParameter(irp, list).Ignore();
  return STATUS_SUCCESS;
}

Status SetEcpListIntoIrp(PIRP irp, PECP_LIST list) {
  PECP_LIST present = nullptr;
  io::GetIrpExtraCreateParameter(irp, &present).Ignore();
  if (present) return STATUS_INVALID_PARAMETER;
  return io::SetIrpExtraCreateParameter(irp, list);
}

}  // namespace nt::fsrtl
