// Change notification: who watches a directory learns what happened in it.
#include "fat.h"

namespace fat {
namespace {

void Report(Vcb& vcb, UNICODE_STRING& path, USHORT last_offset, ULONG filter, ULONG action) {
  FsRtlNotifyFullReportChange(vcb.notify_sync, &vcb.notify_list, reinterpret_cast<PSTRING>(&path), last_offset, nullptr,
                              nullptr, filter, action, nullptr);
}

}  // namespace

void BreakParentOplock(IrpContext& context, Fcb& directory) {
  seh::BreakParentOplock(&directory.header.Oplock, context.irp);
}

void ReportDirectoryGone(Fcb& directory) {
  Vcb& vcb = *directory.vcb;
  FsRtlNotifyFullChangeDirectory(vcb.notify_sync, &vcb.notify_list, &directory, nullptr, FALSE, FALSE, 0, nullptr,
                                 nullptr, nullptr);
}

void ReportNamedChange(Fcb& directory, const UNICODE_STRING& name, ULONG filter, ULONG action) {
  Vcb& vcb = *directory.vcb;
  if (IsListEmpty(&vcb.notify_list)) return;
  UNICODE_STRING path;
  USHORT last_offset;
  if (!NT_SUCCESS(ChildPath(directory, name, &path, &last_offset))) return;
  Report(vcb, path, last_offset, filter, action);
  FreeString(&path);
}

void ReportChange(Fcb& fcb, ULONG filter, ULONG action) {
  if (fcb.parent != nullptr) ReportNamedChange(*fcb.parent, fcb.name, filter, action);
}

}  // namespace fat
