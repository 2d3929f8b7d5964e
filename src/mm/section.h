// Section objects. Private to mm.
#pragma once

#include "src/mm/segment.h"

namespace nt::mm {

struct Section {
  Segment* segment;       // referenced
  uint64_t size;
  ULONG protection;
  ULONG attributes;
  bool user;              // made for a requestor
  bool writable;
};
Status SectionsBoot();
Status FlushView(uintptr_t address, uint64_t bytes, uintptr_t* base, uint64_t* flushed, IO_STATUS_BLOCK* iosb);

}  // namespace nt::mm
