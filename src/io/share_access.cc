// Sharing: the counts a file system keeps per file, and the check of a new open against them. The caller serialises.
#include "src/io/internal.h"

namespace nt::io {
namespace {

void SetFlags(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file) {
  file->ReadAccess = (desired & (FILE_READ_DATA | FILE_EXECUTE)) != 0;
  file->WriteAccess = (desired & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
  file->DeleteAccess = (desired & DELETE) != 0;
  const bool counts = file->ReadAccess || file->WriteAccess || file->DeleteAccess;
  file->SharedRead = counts && (share & FILE_SHARE_READ);
  file->SharedWrite = counts && (share & FILE_SHARE_WRITE);
  file->SharedDelete = counts && (share & FILE_SHARE_DELETE);
}

bool Counts(const FILE_OBJECT* file) { return file->ReadAccess || file->WriteAccess || file->DeleteAccess; }
bool Ignored(FILE_OBJECT* file) { return Private(file)->ignore_sharing; }

}  // namespace

void UpdateShareAccess(FILE_OBJECT* file, SHARE_ACCESS* access) {
  if (Ignored(file) || !Counts(file)) return;
  access->OpenCount++;
  access->Readers += file->ReadAccess;
  access->Writers += file->WriteAccess;
  access->Deleters += file->DeleteAccess;
  access->SharedRead += file->SharedRead;
  access->SharedWrite += file->SharedWrite;
  access->SharedDelete += file->SharedDelete;
}

void RemoveShareAccess(FILE_OBJECT* file, SHARE_ACCESS* access) {
  if (Ignored(file) || !Counts(file)) return;
  access->OpenCount--;
  access->Readers -= file->ReadAccess;
  access->Writers -= file->WriteAccess;
  access->Deleters -= file->DeleteAccess;
  access->SharedRead -= file->SharedRead;
  access->SharedWrite -= file->SharedWrite;
  access->SharedDelete -= file->SharedDelete;
}

void SetShareAccess(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file, SHARE_ACCESS* access) {
  SetFlags(desired, share, file);
  *access = {};
  UpdateShareAccess(file, access);
}

Status CheckShareAccessEx(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file, SHARE_ACCESS* access, bool update,
                          const BOOLEAN* write_permission) {
  const BOOLEAN before[] = {file->ReadAccess, file->WriteAccess,  file->DeleteAccess,
                            file->SharedRead, file->SharedWrite, file->SharedDelete};
  SetFlags(desired, share, file);
  if (Ignored(file) || !Counts(file)) return STATUS_SUCCESS;
  const ULONG opens = access->OpenCount;
  // With a permission known not to exist, denying others to write cannot be meant.
  const bool shares_write = file->SharedWrite || (write_permission && !*write_permission);
  const bool conflict = (file->ReadAccess && access->SharedRead < opens) ||
                        (file->WriteAccess && access->SharedWrite < opens) ||
                        (file->DeleteAccess && access->SharedDelete < opens) ||
                        (access->Readers && !file->SharedRead) || (access->Writers && !shares_write) ||
                        (access->Deleters && !file->SharedDelete);
  if (conflict) {
    file->ReadAccess = before[0];
    file->WriteAccess = before[1];
    file->DeleteAccess = before[2];
    file->SharedRead = before[3];
    file->SharedWrite = before[4];
    file->SharedDelete = before[5];
    return STATUS_SHARING_VIOLATION;
  }
  if (update) UpdateShareAccess(file, access);
  return STATUS_SUCCESS;
}

Status CheckShareAccess(ACCESS_MASK desired, ULONG share, FILE_OBJECT* file, SHARE_ACCESS* access, bool update) {
  return CheckShareAccessEx(desired, share, file, access, update, nullptr);
}

}  // namespace nt::io
