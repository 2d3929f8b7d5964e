// The mapped page writer.
//
// Streams that the cache manager keeps are the lazy writer's; here come those whose dirty pages only views made. A pass, for
// each: AcquireForModWrite with the offset where the write ends (STATUS_CANT_WAIT: next time), paging writes, the release.
#include "src/mm/writer.h"

#include <algorithm>

#include "src/fsrtl/fsrtl.h"
#include "src/io/io.h"
#include "src/ke/ke.h"
#include "src/mm/mm.h"
#include "src/mm/segment.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"

namespace nt::mm {
namespace {

struct Writer {
  KEVENT wake;
  std::atomic<bool> stop{false};
  uint32_t interval_ms = 1000;
  ke::Thread* thread = nullptr;
};
Writer* g_writer = nullptr;

void WriteSegment(Segment* segment, void*) {
  SECTION_OBJECT_POINTERS* pointers = segment->pointers();
  if (__atomic_load_n(&pointers->SharedCacheMap, __ATOMIC_ACQUIRE) || segment->no_modified_write.load()) return;
  FILE_OBJECT* file = segment->file();
  // 64 KiB after 64 KiB, each under its own acquisition, so that nobody waits long for the file.
  for (uint64_t at = segment->FirstDirty(0); at != ~0ull; at = segment->FirstDirty(at)) {
    const uint64_t end = (at & ~static_cast<uint64_t>(0xFFFF)) + 0x10000;
    // No write goes past the end of the file. A page beyond it is on its way out; it is offered as such.
    const uint64_t file_size = segment->file_size.load(std::memory_order_relaxed);
    LARGE_INTEGER ending;
    ending.QuadPart = static_cast<LONGLONG>(at < file_size ? std::min(end, file_size) : end);
    PERESOURCE resource = nullptr;
    try {
      if (!fsrtl::AcquireFileForModWrite(file, &ending, &resource).ok()) return;
    } catch (const SehException& exception) {
      return;  // the file system refused; the pages stay dirty
    }
    IRP* const top = io::GetTopLevelIrp();
    io::SetTopLevelIrp(reinterpret_cast<IRP*>(static_cast<ULONG_PTR>(FSRTL_MOD_WRITE_TOP_LEVEL_IRP)));
    FlushOptions options;
    options.wait = false;
    uint64_t written = 0;
    Status status = STATUS_SUCCESS;
    try {
      status = segment->Flush(at, end, options, &written);
    } catch (const SehException& exception) {
      status = exception.code();
    }
    io::SetTopLevelIrp(top);
    fsrtl::ReleaseFileForModWrite(file, resource);
    if (!status.ok()) return;  // and are tried again
    at = end;
  }
}

void WriterMain(void*) {
  while (!g_writer->stop.load()) {
    LARGE_INTEGER timeout;
    timeout.QuadPart = -10'000ll * g_writer->interval_ms;
    ke::WaitForSingleObject(&g_writer->wake, Executive, KernelMode, false, &timeout).Ignore();  // either way: a pass
    if (g_writer->stop.load()) return;
    RunMappedPageWriter();
    TrimUnusedSegments(false);
  }
}

}  // namespace

void RunMappedPageWriter() { ForEachDirtySegment(WriteSegment, nullptr); }

Status StartWriter(uint32_t interval_ms) {
  g_writer = new Writer;
  g_writer->interval_ms = interval_ms;
  ke::InitializeEvent(&g_writer->wake, SynchronizationEvent, false);
  if (!interval_ms) return STATUS_SUCCESS;
  return ps::CreateRuntimeThread("page-writer", WriterMain, nullptr, &g_writer->thread);
}
void StopWriter() {
  if (!g_writer) return;
  g_writer->stop.store(true);
  if (g_writer->thread) {
    ke::SetEvent(&g_writer->wake);
    ke::WaitFor(g_writer->thread);
    ob::DereferenceObject(g_writer->thread);
  }
  delete g_writer;
  g_writer = nullptr;
}
void WakeWriter() {
  if (g_writer && !g_writer->stop.load()) ke::SetEvent(&g_writer->wake);
}

}  // namespace nt::mm
