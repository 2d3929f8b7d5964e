// The loader and the boundary between drivers and the runtime: what siblings include.
//
//   Loading       LoadImage, DiscardInit, UnloadImage, InspectImage
//   Calling       nt::CallDriver (call.h), NT_EXPORT and nt::Raise (export.h)
//   User memory   CopyFromUser ... (user_access.h)
//   Faults        the hooks below: what ke and mm do when driver or runtime code faults
//   Reports       CaptureStack, Symbolize
//
// The life of an image: LoadImage (mapped, bound, protected; not entered) -> the caller enters `entry` by CallDriver ->
// DiscardInit -> ... -> UnloadImage. Images are found by address without a lock, from any context.
// Lock: LockRank::kLoader, over loading and unloading only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/status.h"
#include "src/ldr/context.h"
#include "src/ldr/export.h"

namespace nt::ldr {

// --- images ------------------------------------------------------------------------------------------------------------

/// A mapped driver image. Its fields do not change after LoadImage, apart from `init_discarded`.
struct Image {
  std::string name;  // "fat.sys": what other images import from
  std::string path;  // as given; where symbols are looked for
  uint64_t base = 0;
  uint64_t preferred_base = 0;
  uint32_t size = 0;           // SizeOfImage rounded up to a page
  uint32_t mapped_bytes = 0;   // size, and the thunks of lazily bound imports behind it
  uint32_t entry_rva = 0;      // 0: no entry point
  uint32_t timestamp = 0;
  const RuntimeFunction* functions = nullptr;
  size_t function_count = 0;
  bool init_discarded = false;
  std::vector<std::string> warnings;        // what the loader had to bend, one sentence each
  std::vector<std::string> missing_imports;  // bound to thunks that bug-check (lazy imports)

  struct Range {
    uint32_t rva, bytes;
  };
  std::vector<Range> discardable;

  struct Symbol {
    uint32_t rva;
    std::string name;
  };
  std::vector<Symbol> symbols;  // the COFF symbol table if the file has one, and the exports; sorted by rva

  struct Export {
    std::string name;
    uint32_t rva;
  };
  std::vector<Export> exports;  // sorted by name; forwarders left out

  /// Address of an exported routine or variable, or nullptr.
  void* FindExport(const char* export_name) const;
  /// DriverEntry, or nullptr.
  void* entry() const { return entry_rva ? reinterpret_cast<void*>(base + entry_rva) : nullptr; }
  bool Contains(uint64_t address) const { return address - base < mapped_bytes; }
};

struct LoadOptions {
  /// Binds a missing import to a thunk that bug-checks with its name instead of refusing the image.
  bool lazy_imports = false;
  /// Name under which other images import from this one; the last part of `path` when empty.
  std::string name;
};

/// Maps an image from a file or from bytes and binds its imports. On failure `*why` says what is wrong with it in one or
/// more sentences: STATUS_INVALID_IMAGE_FORMAT (malformed), STATUS_INVALID_IMAGE_NOT_MZ, STATUS_INVALID_IMAGE_WIN_32/...
/// (of another kind), STATUS_PROCEDURE_NOT_FOUND (imports missing: every one is named), STATUS_OBJECT_NAME_NOT_FOUND (no file),
/// STATUS_INSUFFICIENT_RESOURCES.
Result<Image*> LoadImage(const std::string& path, const LoadOptions& options, std::string* why);
Result<Image*> LoadImageFromBytes(const std::string& path, std::span<const std::byte> file, const LoadOptions& options,
                                  std::string* why);
/// Makes the discardable sections (INIT) inaccessible; called after DriverEntry returned.
void DiscardInit(Image* image);
/// Unmaps. The caller knows that no thread is in it and no pointer into it is left.
void UnloadImage(Image* image);

/// The image that covers an address, or nullptr. Safe in a fault handler.
Image* FindImage(uint64_t address);
Image* FindImageByName(const char* name);
std::vector<Image*> LoadedImages();

/// The row of the runtime's export table (or of the CRT image), as a driver would be bound to; nullptr when there is none.
/// This is what MmGetSystemRoutineAddress answers with.
const void* FindRoutine(const char* name);
/// All rows of the runtime's table, sorted by name.
std::span<const ExportRecord* const> RuntimeExports();

/// Adds rows to the table: exports that a test program or an embedder defines with NT_EXPORT in its own module, between
/// __start_ntio_exports and __stop_ntio_exports of that module. Before any image is loaded.
void AddExports(const ExportRecord* first, const ExportRecord* last);

/// One import as `ntio info` shows it.
struct ImportReport {
  std::string module, name;
  enum class State { kPresent, kPartial, kAbsent } state;
  std::string reason;  // of partial and absent
  bool delay = false;
};
struct SectionReport {
  std::string name;
  uint32_t rva, virtual_bytes, file_bytes, characteristics;
};
struct ExportReport {
  std::string name, forward;  // "#5" when it has no name; "module.name" when it is one of another module
  uint32_t ordinal, rva;
};
/// Versions, load configuration, program database, resources, counts.
struct ImageDetails {
  uint8_t linker_major = 0, linker_minor = 0;
  uint16_t os_major = 0, os_minor = 0, subsystem_major = 0, subsystem_minor = 0;
  uint16_t dll_characteristics = 0;                 // IMAGE_DLLCHARACTERISTICS_*
  uint32_t checksum = 0, computed_checksum = 0;
  uint32_t certificate_bytes = 0;                   // of an embedded signature, which nobody checks here
  uint32_t relocation_count = 0;
  uint32_t function_count = 0, handler_count = 0;   // rows of .pdata; those with a language handler of their own
  uint32_t cookie_rva = 0;                          // 0: compiled without /GS
  uint32_t guard_flags = 0;                         // IMAGE_GUARD_*
  uint64_t guard_function_count = 0;
  std::string pdb, pdb_id;                          // "{GUID} AGE"
  std::string file_version;                         // of the version resource: "1.0.1.0"
};
struct ImageReport {
  std::string path;
  bool well_formed = false;  // false: `why` says what is wrong and nothing else is filled in
  bool loads = false;        // all of it can be bound
  std::string why;
  uint32_t timestamp = 0, entry_rva = 0, size = 0;
  uint64_t preferred_base = 0;
  uint16_t subsystem = 0, machine = 0;
  std::vector<SectionReport> sections;
  std::vector<ImportReport> imports;
  std::vector<ExportReport> exports;
  std::vector<std::string> warnings;
  ImageDetails details;
};
/// Reads an image without mapping it. Modules that are not loaded count as absent unless named in `also_loaded`.
ImageReport InspectImage(const std::string& path, std::span<const std::string> also_loaded = {});

// --- start -------------------------------------------------------------------------------------------------------------

/// Installs the fault handler and maps the CRT image; done once a process, and by LoadImage itself.
void Initialize();

/// Remembers the bounds of the calling thread's stack, so that a fault at its end is recognised as an overflow. `limit` is
/// the lowest usable address. Optional: without it the host's bounds are asked for at the first Initialize of the thread.
void SetStackBounds(uintptr_t limit, uintptr_t base);

// --- hooks -------------------------------------------------------------------------------------------------------------
// Each is set once at boot; nullptr restores the default, which prints the record and aborts.

/// An exception at `context` that no frame takes: KMODE_EXCEPTION_NOT_HANDLED. Runs on the raising thread's stack above
/// the frames that raised; nothing has been unwound yet.
using UnhandledExceptionHook = void (*)(const EXCEPTION_RECORD& record, const Context& context);
void SetUnhandledExceptionHook(UnhandledExceptionHook hook);

/// A fault in runtime code outside the user-memory helpers. Runs on the faulting thread's stack, or on the signal stack
/// when that one is exhausted (then record.ExceptionCode is STATUS_STACK_OVERFLOW). Must not return.
using HostFaultHook = void (*)(const EXCEPTION_RECORD& record, const Context& context);
void SetHostFaultHook(HostFaultHook hook);

/// A thread ran out of stack, in driver or runtime code. Runs on the signal stack, of 64 KiB. Must not return.
using StackOverflowHook = void (*)(const EXCEPTION_RECORD& record, const Context& context);
void SetStackOverflowHook(StackOverflowHook hook);

/// `int 29h` in driver code (__fastfail): KERNEL_SECURITY_CHECK_FAILURE. Must not return.
using FastFailHook = void (*)(uint32_t code, const EXCEPTION_RECORD& record, const Context& context);
void SetFastFailHook(FastFailHook hook);

/// `int 2Ch` in driver code (NT_ASSERT), before the search for a handler: a debugger would stop here. `context` is at the
/// instruction. Returns, and the exception takes its course.
using AssertionHook = void (*)(const Context& context);
void SetAssertionHook(AssertionHook hook);

/// A driver called an import that the runtime lacks. Must not return.
using MissingImportHook = void (*)(const char* driver, const char* name);
void SetMissingImportHook(MissingImportHook hook);
[[noreturn]] void MissingImport(const char* driver, const char* name);

/// `mov reg, cr8` and `mov cr8, reg` in driver code.
struct ProcessorHooks {
  /// In the fault handler: reads only.
  uint8_t (*read_irql)();
  /// On the thread's own stack, outside the fault handler: KeRaiseIrql or KeLowerIrql, DPCs and APCs included.
  void (*write_irql)(uint8_t irql);
};
void SetProcessorHooks(const ProcessorHooks& hooks);

/// Page faults that mm resolves (user views), in driver and in runtime code.
struct PageFaultHooks {
  /// In the fault handler: a look at the address only, no lock.
  bool (*is_mine)(uintptr_t address);
  /// On the thread's own stack. Success retries the instruction. A failure raises STATUS_IN_PAGE_ERROR with this status
  /// (STATUS_ACCESS_VIOLATION: that) at the faulting instruction.
  Status (*page_in)(uintptr_t address, bool write);
};
void SetPageFaultHooks(const PageFaultHooks& hooks);

/// The host page that loads from KUSER_SHARED_DATA (0xFFFFF78000000000) read.
void* SharedUserData();
/// Called at each such load, in the fault handler, with a copy of the page to write the times of the moment into (ke).
void SetSharedUserDataHook(void (*update)(void* page));

// --- unwinding ---------------------------------------------------------------------------------------------------------

/// The row of .pdata for a driver address, chained rows followed only where .pdata itself does so; nullptr for a leaf.
const RuntimeFunction* LookupFunction(uint64_t pc, uint64_t* image_base);
/// Moves `context` to the caller of the frame it is in. Driver frames only; false when the pc is in no driver image.
bool UnwindDriverFrame(Context* context);

// --- reports -----------------------------------------------------------------------------------------------------------

struct Frame {
  uint64_t pc = 0, sp = 0;
  std::string module;  // "fat.sys", "ntio"
  std::string symbol;  // empty when unknown
  std::string file;    // empty unless Symbolize found it
  int line = 0;
  uint64_t offset = 0;  // from the symbol, 0 when not known; from the module's base without a symbol
  uint64_t module_offset = 0;
  bool driver = false;
};

/// The mixed stack of the caller, innermost first, across driver and runtime frames. Names come from tables in memory.
std::vector<Frame> CaptureStack(size_t skip = 0);
/// The same, from a saved state.
std::vector<Frame> CaptureStackFrom(const Context& context);
/// Fills file, line and better names by running llvm-symbolizer where there is one. Report time only: starts a process.
void Symbolize(std::vector<Frame>* frames);
/// "module!symbol+0x12 (file:line)"; the symbol without parameters and template arguments.
std::string FormatFrame(const Frame& frame);
/// Up to `capacity` return addresses, cheap: no names. Returns how many.
size_t WalkStack(const Context& from, size_t skip, void** addresses, size_t capacity);

}  // namespace nt::ldr
