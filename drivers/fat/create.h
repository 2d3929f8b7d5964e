// One IRP_MJ_CREATE on its way: create.cc finds the name, open_existing.cc or create_new.cc does what is asked with it.
#pragma once
#include "fat.h"

namespace fat {

struct OpenRequest {
  IrpContext* context;
  Vcb* vcb;
  PFILE_OBJECT file;
  PIO_SECURITY_CONTEXT security;
  ACCESS_MASK access;
  USHORT share;
  UCHAR attributes;
  ULONG disposition;
  ULONG options;
  LONGLONG allocation;
  bool directory;  // the caller wants a directory
  bool non_directory;
  bool trailing_backslash;
  bool delete_on_close;
  bool target_directory;
  bool by_short_name;
  bool oplock_reserved;

  bool overwrites() const {
    return disposition == FILE_SUPERSEDE || disposition == FILE_OVERWRITE || disposition == FILE_OVERWRITE_IF;
  }
  bool may_create() const { return disposition != FILE_OPEN && disposition != FILE_OVERWRITE; }
};

/// What the caller may do with the file; request.access is then what is granted.
NTSTATUS Grant(OpenRequest& request, UCHAR attributes, bool directory);
/// Ties the file object to the Fcb.
NTSTATUS FinishOpen(OpenRequest& request, Fcb& fcb, bool volume);
/// An open that asks for an oplock, or against those of others, claims the next one as part of being opened.
NTSTATUS ReserveOplock(OpenRequest& request, Fcb& fcb);
NTSTATUS OpenExisting(OpenRequest& request, Fcb& fcb);
/// @param entry  memory to work with
NTSTATUS CreateNew(OpenRequest& request, Fcb& parent, const UNICODE_STRING& name, DirectoryEntry* entry);

}  // namespace fat
