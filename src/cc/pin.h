// Holds dirty Bcbs of a piece while its pages are written.
#pragma once

#include "src/cc/cache_map.h"

namespace nt::cc {

class BcbGate final : public mm::FlushGate {
 public:
  BcbGate(SharedCacheMap* map, bool lazy) : map_(map), lazy_(lazy) {}
  uint64_t Enter(uint64_t index, uint64_t pages) override;
  void Leave(uint64_t index) override;

 private:
  struct Held {
    Bcb* bcb;
    bool mine;
  };
  SharedCacheMap* const map_;
  const bool lazy_;
  Held held_[mm::kSlotPages];
  uint32_t held_count_ = 0;
};

}  // namespace nt::cc
