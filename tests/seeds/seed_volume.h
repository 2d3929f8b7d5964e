// A volume of a file system whose every entry a test can watch, decline, empty or cut off, with real legacy filters
// above it.
//
// The file system is complete for one file: cached reads and writes by the FsRtl helpers and by IRP, MDL transfers,
// locks, queries, sections, flushes. Its fast I/O table has all 27 entries. What reaches it is recorded in order
// (Contact).
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/io/test_driver.h"

namespace nt::seeds {

inline constexpr size_t kEntries = 28;  // numbered from 1

/// Who gave an entry its answer.
enum class Mode {
  kReal,   // the entry does its work and answers
  kFalse,  // it declines: FALSE; `refusal` for those that answer with an NTSTATUS
};

/// The first driver contacts of a request, as the file system saw them.
struct Contact {
  size_t entry = 0;  // of FAST_IO_DISPATCH; 0: an IRP
  UCHAR major = 0, minor = 0;
  DEVICE_OBJECT* device = nullptr;  // the DeviceObject it was given; nullptr where the entry has none
  bool paging = false;
  bool wait = false;
  KIRQL irql = 0;
  ULONG apc_disable = 0;
  IRP* top_level = nullptr;
};

struct SeedFile;

class SeedVolume {
 public:
  explicit SeedVolume(int filters = 0);
  ~SeedVolume();
  SeedVolume(const SeedVolume&) = delete;

  // --- requests
  // --------------------------------------------------------------------------------------------------------------
  HANDLE Open(ULONG options = FILE_SYNCHRONOUS_IO_NONALERT, const char16_t* name = u"\\Device\\SeedDisk\\file");
  void Close(HANDLE handle);
  FILE_OBJECT* FileOf(HANDLE handle) { return io::test::FileOf(handle); }
  /// A handle whose file is cached.
  HANDLE OpenCached(ULONG options = FILE_SYNCHRONOUS_IO_NONALERT);

  // --- the table
  // ---------------------------------------------------------------------------------------------------------------
  /// The file system's table as it is given out: with the entry, without it, cut off before it, or none.
  enum class Table { kWhole, kWithout, kShort, kNone };
  void UseTable(Table shape, size_t entry = 0);
  void SetMode(size_t entry, Mode mode) { modes[entry] = mode; }

  // --- what happened
  // -------------------------------------------------------------------------------------------------------------
  void Record(const Contact& contact);
  void Forget();
  std::vector<Contact> Contacts();
  int FastCalls(size_t entry);
  int Irps(UCHAR major, UCHAR minor, bool paging = false);
  int Irps(UCHAR major);

  /// The parameters key of filter `index` (from 0, the lowest) for the next volume: "DeclineMask"=dword:...
  static void SetFilterParameter(int index, const char* name, ULONG value);

  io::test::Driver disk;
  io::test::Driver system;
  DEVICE_OBJECT *storage = nullptr, *control = nullptr, *volume = nullptr;
  std::vector<DRIVER_OBJECT*> filters;  // lowest first
  std::unique_ptr<SeedFile> file;
  Mode modes[kEntries] = {};
  NTSTATUS refusal = STATUS_INVALID_DEVICE_REQUEST;
  NTSTATUS status_of_true = STATUS_SUCCESS;  // of entries 2, 3: TRUE with this status when not SUCCESS

 private:
  NTSTATUS Dispatch(DEVICE_OBJECT* device, IRP* irp, IO_STACK_LOCATION* location);
  NTSTATUS Mount(IRP* irp, IO_STACK_LOCATION* location);
  NTSTATUS Transfer(IRP* irp, IO_STACK_LOCATION* location);
  NTSTATUS Cached(IRP* irp, IO_STACK_LOCATION* location);
  NTSTATUS Query(IRP* irp, IO_STACK_LOCATION* location);

  FAST_IO_DISPATCH table_{};
  std::mutex lock_;
  std::vector<Contact> contacts_;
};

/// The file's control block: what FsContext of every open points to.
struct SeedFile {
  FSRTL_ADVANCED_FCB_HEADER header{};  // first
  SECTION_OBJECT_POINTERS pointers{};
  ERESOURCE resource{}, paging{};
  FAST_MUTEX mutex{};
  FILE_LOCK locks{};
  std::mutex disk_lock;
  std::vector<char> disk;

  explicit SeedFile(size_t bytes);
  ~SeedFile();
  void StartCaching(FILE_OBJECT* opened);
};

/// A booted machine.
class SeedTest : public machine::TestMachine {
 protected:
  IO_STATUS_BLOCK iosb{};
  static LARGE_INTEGER At(LONGLONG offset) {
    LARGE_INTEGER value;
    value.QuadPart = offset;
    return value;
  }
};

}  // namespace nt::seeds
