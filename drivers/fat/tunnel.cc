// Tunnelling: a file that goes and comes back under its name within seconds, as programs that save do it, keeps its
// creation time and its other name.
#include "fat.h"

namespace fat {
namespace {

/// Names a directory for as long as it exists.
ULONGLONG DirectoryKey(const Fcb& directory) { return directory.first_cluster; }

}  // namespace

void TunnelAway(Fcb& fcb, bool opened_by_short_name) {
  Vcb& vcb = *fcb.vcb;
  if (fcb.kind != FcbKind::kFile || fcb.parent == nullptr) return;
  FsRtlAddToTunnelCache(&vcb.tunnel, DirectoryKey(*fcb.parent), &fcb.short_name, &fcb.name,
                        opened_by_short_name && fcb.has_long_name(), sizeof(fcb.creation_time), &fcb.creation_time);
}

void TunnelForgetDirectory(Fcb& directory) {
  FsRtlDeleteKeyFromTunnelCache(&directory.vcb->tunnel, DirectoryKey(directory));
}

bool TunnelBack(Fcb& directory, const UNICODE_STRING& name, Tunnelled* tunnelled) {
  tunnelled->Clear();
  UNICODE_STRING key = name;
  UNICODE_STRING long_name = tunnelled->long_name.name;
  ULONG bytes = sizeof(tunnelled->creation_time);
  const bool found = seh::FindInTunnelCache(&directory.vcb->tunnel, DirectoryKey(directory), &key,
                                            &tunnelled->short_name, &long_name, &bytes, &tunnelled->creation_time);
  tunnelled->long_name.name.Length = long_name.Length;
  if (!found) tunnelled->Clear();
  return found;
}

NTSTATUS NamesFromTunnel(Fcb& directory, const UNICODE_STRING& name, const Tunnelled& tunnelled, DirectoryEntry* entry,
                         UNICODE_STRING* long_name, UNICODE_STRING* short_name) {
  *long_name = name;
  *short_name = tunnelled.short_name;
  // Asked for by its short name: the long one comes back if nobody took it meanwhile.
  const UNICODE_STRING& other = tunnelled.long_name.name;
  if (other.Length == 0 || !NamesEqual(name, tunnelled.short_name) || NamesEqual(name, other)) return STATUS_SUCCESS;
  const NTSTATUS status = FindEntry(directory, other, entry);
  if (status == STATUS_OBJECT_NAME_NOT_FOUND) *long_name = other;
  return status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : status;
}

}  // namespace fat
