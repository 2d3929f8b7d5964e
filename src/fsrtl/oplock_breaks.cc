// The break table: which operation breaks which oplock to what, who answers, who waits.
#include "src/fsrtl/oplock.h"

namespace nt::fsrtl {

ULONG CacheFlags(OplockKind kind) {
  switch (kind) {
    case OplockKind::kR: return OPLOCK_LEVEL_CACHE_READ;
    case OplockKind::kRH: return OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE;
    case OplockKind::kRW: return OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_WRITE;
    case OplockKind::kRWH: return OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE | OPLOCK_LEVEL_CACHE_WRITE;
    default: return 0;
  }
}

bool KindOfCacheFlags(ULONG flags, OplockKind* kind) {
  for (const OplockKind candidate :
       {OplockKind::kNone, OplockKind::kR, OplockKind::kRH, OplockKind::kRW, OplockKind::kRWH}) {
    if (CacheFlags(candidate) != flags) continue;
    *kind = candidate;
    return true;
  }
  return false;
}

OplockBreak BreakOf(OplockOperation operation, OplockKind held, bool same_key) {
  using Op = OplockOperation;
  using Kind = OplockKind;
  constexpr OplockBreak kStays{};
  const auto silently = [](Kind to) { return OplockBreak{true, to, false, false}; };
  const auto answered = [](Kind to) { return OplockBreak{true, to, true, false}; };
  const auto awaited = [](Kind to) { return OplockBreak{true, to, true, true}; };

  if (held == Kind::kNone || operation == Op::kNothing) return kStays;
  if (operation == Op::kBreakToNone) {
    if (held == Kind::kLevel2 || held == Kind::kR) return silently(Kind::kNone);
    return held == Kind::kRH ? answered(Kind::kNone) : awaited(Kind::kNone);
  }
  if (operation == Op::kWritableSection) return IsLegacy(held) ? kStays : silently(Kind::kNone);
  const bool breaks_own_level2 = operation == Op::kWrite || operation == Op::kLock;
  if (same_key && !(held == Kind::kLevel2 && breaks_own_level2)) return kStays;

  const bool overwrites = operation == Op::kOpenOverwrite || operation == Op::kOpenOverwriteNotSharingRead ||
                          operation == Op::kOpenReserve;
  const bool opens = overwrites || operation == Op::kOpen || operation == Op::kOpenWriterNotSharingRead;
  switch (held) {
    case Kind::kLevel2:
      return overwrites || breaks_own_level2 ? silently(Kind::kNone) : kStays;
    case Kind::kLevel1:
      if (overwrites || operation == Op::kWrite || operation == Op::kLock) return awaited(Kind::kNone);
      return opens || operation == Op::kRead ? awaited(Kind::kLevel2) : kStays;
    case Kind::kBatch:
      if (overwrites || operation == Op::kWrite || operation == Op::kLock || operation == Op::kRename)
        return awaited(Kind::kNone);
      return opens || operation == Op::kRead ? awaited(Kind::kLevel2) : kStays;
    case Kind::kFilter:
      return operation == Op::kOpenWriterNotSharingRead || operation == Op::kOpenOverwriteNotSharingRead ||
                     operation == Op::kOpenReserve || operation == Op::kWrite || operation == Op::kRename
                 ? awaited(Kind::kNone)
                 : kStays;
    case Kind::kR:
      return overwrites || operation == Op::kWrite || operation == Op::kLock || operation == Op::kChildChange
                 ? silently(Kind::kNone)
                 : kStays;
    case Kind::kRH:
      if (overwrites || operation == Op::kWrite || operation == Op::kLock || operation == Op::kChildChange)
        return answered(Kind::kNone);
      return operation == Op::kSharingViolation || operation == Op::kRename || operation == Op::kDelete
                 ? awaited(Kind::kR)
                 : kStays;
    case Kind::kRW:
      if (overwrites || operation == Op::kWrite || operation == Op::kLock) return awaited(Kind::kNone);
      return opens || operation == Op::kRead ? awaited(Kind::kR) : kStays;
    case Kind::kRWH:
      if (operation == Op::kLock) return answered(Kind::kNone);
      if (overwrites || operation == Op::kWrite) return awaited(Kind::kNone);
      if (opens || operation == Op::kRead) return awaited(Kind::kRH);
      return operation == Op::kSharingViolation || operation == Op::kRename || operation == Op::kDelete
                 ? awaited(Kind::kRW)
                 : kStays;
    case Kind::kNone:
      break;
  }
  return kStays;
}

}  // namespace nt::fsrtl
