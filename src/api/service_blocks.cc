#include "src/api/service_blocks.h"

#include <new>
#include <utility>

#include "src/mm/mm.h"

namespace ntio {

/// What a thread keeps: at most one block, of the machine it called last.
struct KeptBlock {
  std::shared_ptr<ServiceBlocks> owner;
  ServiceBlock* block = nullptr;

  ~KeptBlock() { Drop(); }
  void Drop() {
    if (owner && block) owner->GiveShared(block);
    block = nullptr;
    owner.reset();
  }
};

namespace {

thread_local KeptBlock t_kept;

}  // namespace

ServiceBlock* ServiceBlocks::Take() {
  KeptBlock& kept = t_kept;
  if (kept.owner.get() == this && kept.block) [[likely]]
    return std::exchange(kept.block, nullptr);
  {
    nt::LockGuard guard(lock_);
    if (!free_.empty()) {
      auto* block = free_.back();
      free_.pop_back();
      return block;
    }
  }
  auto* block = new (nt::mm::UserArena::Allocate(sizeof(ServiceBlock))) ServiceBlock;
  nt::LockGuard guard(lock_);
  all_.push_back(block);
  return block;
}

void ServiceBlocks::Give(ServiceBlock* block) {
  KeptBlock& kept = t_kept;
  if (kept.owner.get() != this) [[unlikely]] {
    kept.Drop();
    kept.owner = shared_from_this();
  }
  if (!kept.block) [[likely]] {
    kept.block = block;
    return;
  }
  GiveShared(block);  // a call within a call
}

void ServiceBlocks::GiveShared(ServiceBlock* block) {
  nt::LockGuard guard(lock_);
  if (!closed_) free_.push_back(block);
}

void ServiceBlocks::Close() {
  std::vector<ServiceBlock*> all;
  {
    nt::LockGuard guard(lock_);
    closed_ = true;
    free_.clear();
    all.swap(all_);
  }
  for (auto* block : all) nt::mm::UserArena::Free(block, sizeof(ServiceBlock));
}

}  // namespace ntio
