// drivers/fat: names, tunnelling, the dirty mark, volumes.
#include "tests/integration/fat_test.h"

namespace fat_test {
namespace {

// --- names ---

// NTIO_FILES=20000 for the long form. The time of a create must not grow with the directory.
TEST_F(FatTest, ManyFilesInOneDirectory_EachTakesAsLongAsTheFirst) {
  const char* wanted = std::getenv("NTIO_FILES");
  const int files = wanted ? std::atoi(wanted) : 8000;
  Start(32, 128);
  ntio::OpenOptions make;
  make.options = 0x21;
  make.disposition = FILE_CREATE;
  make.access = kReadWrite;
  ASSERT_TRUE(machine_->Open(u"\\many", make).ok());
  make.options = 0x60;
  const auto run = [&](int from, int to) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = from; i < to; i++) {
      auto file = machine_->Open(u"\\many\\a long name " + Number(i) + u".txt", make);
      if (!file.ok()) {
        ADD_FAILURE() << "file " << i << ": " << ntio::DescribeStatus(file.failure().status);
        break;
      }
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  run(0, 100);  // warm
  const double first = run(100, 1100);
  run(1100, files - 1000);
  const double last = run(files - 1000, files);
  std::printf("%d files: first 1,000 in %.0f ms, last 1,000 in %.0f ms, ratio %.2f\n", files, first * 1e3, last * 1e3,
              last / first);
  EXPECT_EQ(List(u"\\many").size(), static_cast<size_t>(files) + 2);
  EXPECT_LT(last, first * 5 + 0.5) << "creating files in a large directory slows down";
}

TEST_F(FatTest, Names_FoundByLongAndShortName_AfterCreateRenameDelete) {
  for (int fat : {12, 16, 32}) {
    ASSERT_NO_FATAL_FAILURE(Start(fat, fat == 12 ? 2 : fat == 16 ? 16 : 64));
    Client& client = *client_;
    HANDLE handle;
    for (int i = 0; i < 60; i++) client.Close(Open(u"\\some long name " + Number(i)));
    // Every name has its own short one, and is found by it.
    auto entries = List();
    ASSERT_EQ(entries.size(), 60u);
    for (const auto& entry : entries) {
      ASSERT_EQ(client.Open(u"\\" + entry.short_name, &handle, kAll, 7, FILE_OPEN), STATUS_SUCCESS);
      FILE_NAME_INFORMATION name{};
      client.Query(handle, FileNameInformation, &name, 200);
      EXPECT_EQ(name.FileNameLength, (entry.name.size() + 1) * 2);
      client.Close(handle);
    }
    // Holes are used again, whatever their size.
    for (int i = 0; i < 60; i += 2) {
      handle = Open(u"\\some long name " + Number(i));
      EXPECT_EQ(client.Delete(handle), STATUS_SUCCESS);
      client.Close(handle);
      EXPECT_EQ(client.Open(u"\\SOME LONG NAME " + Number(i), &handle, kAll, 7, FILE_OPEN),
                STATUS_OBJECT_NAME_NOT_FOUND);
    }
    for (int i = 0; i < 30; i++) client.Close(Open(u"\\S" + Number(i)));
    for (int i = 1; i < 60; i += 2) {
      handle = Open(u"\\some long name " + Number(i));
      EXPECT_EQ(client.Rename(handle, u"Renamed to something longer than before " + Number(i)), STATUS_SUCCESS);
      client.Close(handle);
      EXPECT_EQ(client.Open(u"\\some long name " + Number(i), &handle, kAll, 7, FILE_OPEN),
                STATUS_OBJECT_NAME_NOT_FOUND);
      EXPECT_EQ(client.Open(u"\\renamed to something longer than before " + Number(i), &handle, kAll, 7, FILE_OPEN),
                STATUS_SUCCESS);
      client.Close(handle);
    }
    EXPECT_EQ(List().size(), 60u);
    ASSERT_NO_FATAL_FAILURE(Stop());
    std::remove(image_.c_str());
  }
}

// Four programs in one directory. NTIO_SEED replays the requests; NTIO_STEPS makes it longer.
TEST_F(FatTest, Names_FourProgramsAtOnce_IndexAndDirectoryAgree) {
  const char* seed_text = std::getenv("NTIO_SEED");
  const char* steps_text = std::getenv("NTIO_STEPS");
  const auto seed = seed_text ? std::strtoul(seed_text, nullptr, 10) : std::random_device{}();
  const int steps = steps_text ? std::atoi(steps_text) : 400;
  std::printf("NTIO_SEED=%lu\n", static_cast<unsigned long>(seed));
  Start(16, 32, {}, "-s 4");
  client_->Close(Open(u"\\d", FILE_DIRECTORY_FILE | kSynchronous));
  const auto name = [](std::mt19937& random) {
    const int i = static_cast<int>(random() % 60);
    // Long ones, short ones, and the short ones of the long ones.
    return i % 3 == 0   ? u"N" + Number(i)
           : i % 3 == 1 ? u"Some long name number " + Number(i)
                        : u"SOMELO~" + Number(i % 10).substr(4);
  };
  const auto program = [&](unsigned number) {
    std::mt19937 random(static_cast<unsigned>(seed) * 4 + number);
    for (int step = 0; step < steps; step++) {
      Client client;
      client.volume = machine_->VolumeDevice();
      HANDLE handle = nullptr;
      const std::u16string path = u"\\d\\" + name(random);
      const ULONG options = kSynchronous | FILE_NON_DIRECTORY_FILE | (random() % 8 == 0 ? FILE_DELETE_ON_CLOSE : 0);
      const ULONG disposition = random() % 3 == 0 ? FILE_OVERWRITE_IF : FILE_OPEN_IF;
      const NTSTATUS status = client.Open(path, &handle, kAll, 7, disposition, options);
      if (!NT_SUCCESS(status)) {
        EXPECT_TRUE(status == STATUS_DELETE_PENDING || status == STATUS_SHARING_VIOLATION)
            << ntio::DescribeStatus(status);
        continue;
      }
      switch (random() % 5) {
        case 0:
          static_cast<void>(client.Rename(handle, name(random), random() % 2));
          break;
        case 1:
          EXPECT_EQ(client.Delete(handle), STATUS_SUCCESS);
          break;
        case 2: {
          FILE_END_OF_FILE_INFORMATION size{};
          size.EndOfFile.QuadPart = static_cast<LONGLONG>(random() % 40000);
          EXPECT_TRUE(NT_SUCCESS(client.Set(handle, FileEndOfFileInformation, &size, sizeof size)));
          break;
        }
        default: {
          auto* data = client.New<char>(5000);
          auto* offset = client.New<LARGE_INTEGER>();
          offset->QuadPart = static_cast<LONGLONG>(random() % 20000);
          client.Enter([&] {
            const NTSTATUS written = nt::io::NtWriteFile(handle, nullptr, nullptr, nullptr,
                                                         client.New<IO_STATUS_BLOCK>(), data, 5000, offset, nullptr);
            EXPECT_EQ(written, STATUS_SUCCESS);
          });
          break;
        }
      }
      client.Close(handle);
    }
  };
  std::vector<std::thread> programs;
  for (unsigned i = 0; i < 4; i++) programs.emplace_back(program, i);
  for (auto& one : programs) one.join();
  const auto names = [&] {
    std::vector<std::u16string> found;
    for (const auto& entry : List(u"\\d")) found.push_back(entry.name + u"|" + entry.short_name);
    return found;
  };
  const auto before = names();
  for (const auto& entry : List(u"\\d")) {
    if (entry.name[0] == u'.') continue;
    EXPECT_EQ(List(u"\\d", entry.name).size(), 1u);
    if (!entry.short_name.empty()) EXPECT_EQ(List(u"\\d", entry.short_name).size(), 1u);
  }
  Stop();
  Boot();
  EXPECT_EQ(names(), before);  // the same by an index that was built anew
}

TEST_F(FatTest, Names_OnlyCaseKeepsFromBeingShort_ShortNameIsTheUpcasedOne) {
  Start();
  client_->Close(Open(u"\\MakeFile.Txt"));
  const auto entries = List();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, u"MakeFile.Txt");
  EXPECT_EQ(entries[0].short_name, u"MAKEFILE.TXT");
}

// --- tunnelling: locks-oplocks-notify.md section 4 ---

TEST_F(FatTest, Tunnel_DeleteAndCreate_KeepsCreationTimeAndShortName) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\long file name 1"));  // takes LONGFI~1
  HANDLE handle = Open(u"\\long file name 2");
  FILE_BASIC_INFORMATION basic{};
  basic.CreationTime.QuadPart = 131000000000000000;
  ASSERT_EQ(client.Set(handle, FileBasicInformation, &basic, sizeof basic), STATUS_SUCCESS);
  ASSERT_EQ(client.Query(handle, FileBasicInformation, &basic), STATUS_SUCCESS);
  const auto short_name = List(u"\\", u"long file name 2").at(0).short_name;
  EXPECT_EQ(short_name, u"LONGFI~2");
  HANDLE first = Open(u"\\long file name 1");
  EXPECT_EQ(client.Delete(first), STATUS_SUCCESS);
  client.Close(first);
  EXPECT_EQ(client.Delete(handle), STATUS_SUCCESS);
  client.Close(handle);
  handle = Open(u"\\long file name 2");
  FILE_BASIC_INFORMATION again{};
  ASSERT_EQ(client.Query(handle, FileBasicInformation, &again), STATUS_SUCCESS);
  EXPECT_EQ(again.CreationTime.QuadPart, basic.CreationTime.QuadPart);
  client.Close(handle);
  EXPECT_EQ(List(u"\\", u"long file name 2").at(0).short_name, short_name);
}

TEST_F(FatTest, Tunnel_SavedByShortName_KeepsTheLongName) {
  Start();
  Client& client = *client_;
  client.Close(Open(u"\\Letter to somebody.doc"));
  HANDLE handle = Open(u"\\LETTER~1.DOC");
  EXPECT_EQ(client.Rename(handle, u"LETTER.BAK"), STATUS_SUCCESS);
  client.Close(handle);
  handle = Open(u"\\new.tmp");
  EXPECT_EQ(client.Rename(handle, u"LETTER~1.DOC"), STATUS_SUCCESS);
  client.Close(handle);
  const auto found = List(u"\\", u"Letter to somebody.doc");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].short_name, u"LETTER~1.DOC");
}

// --- the dirty mark ---

TEST_F(FatTest, PureRead_WritesNothing) {
  Start();
  HANDLE handle = Open(u"\\file");
  client_->Close(handle);
  Stop();
  // Yesterday's access date would be due for an update.
  ASSERT_EQ(std::system(("MTOOLS_SKIP_CHECK=1 mdir -i " + image_ + " ::/ >/dev/null").c_str()), 0);
  Boot();
  handle = Open(u"\\file", kSynchronous, FILE_READ_DATA);
  client_->Close(handle);
  EXPECT_FALSE(List().empty());
  client_.reset();
  ASSERT_TRUE(machine_->Dismount().ok());
  EXPECT_EQ(machine_->Statistics().paging.writes, 0u);
}

TEST_F(FatTest, DirtyMark_ThereAfterTheFirstChange_GoneWhenIdle) {
  Start(16, 16);
  constexpr long kState = 0x25;
  EXPECT_EQ(ImageByte(kState) & 1, 0);
  HANDLE handle = Open(u"\\file");
  EXPECT_EQ(ImageByte(kState) & 1, 1);
  for (int i = 0; i < 300 && (ImageByte(kState) & 1); i++) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(ImageByte(kState) & 1, 0) << "still marked dirty after half a minute";
  EXPECT_EQ(client_->Delete(handle), STATUS_SUCCESS);
  client_->Close(handle);
  EXPECT_EQ(ImageByte(kState) & 1, 1);
}

// --- volumes ---

TEST_F(FatTest, VolumeFsctls) {
  Start(16, 16);
  Client& client = *client_;
  HANDLE file = Open(u"\\file");
  FILE_ALLOCATION_INFORMATION allocation{};
  allocation.AllocationSize.QuadPart = 10 * 512;
  ASSERT_EQ(client.Set(file, FileAllocationInformation, &allocation, sizeof allocation), STATUS_SUCCESS);
  HANDLE volume = Open(u"", kSynchronous, FILE_READ_DATA);
  char bpb[0x24];
  EXPECT_EQ(client.FsControl(volume, FSCTL_QUERY_FAT_BPB, nullptr, 0, bpb, sizeof bpb), STATUS_SUCCESS);
  EXPECT_EQ(static_cast<unsigned char>(bpb[0x0C]), 512 / 256);
  EXPECT_EQ(static_cast<unsigned char>(bpb[0x15]), ImageByte(0x15));

  LARGE_INTEGER start{};
  std::vector<char> bitmap(8192);
  ULONG_PTR bytes = 0;
  EXPECT_EQ(client.FsControl(volume, FSCTL_GET_VOLUME_BITMAP, &start, sizeof start, bitmap.data(), 8192, &bytes),
            STATUS_SUCCESS);
  const auto* map = reinterpret_cast<const VOLUME_BITMAP_BUFFER*>(bitmap.data());
  LONGLONG used = 0;
  for (LONGLONG i = 0; i < map->BitmapSize.QuadPart; i++) used += map->Buffer[i / 8] >> (i % 8) & 1;
  EXPECT_EQ(used, 10);
  EXPECT_EQ(bytes, 16 + (static_cast<size_t>(map->BitmapSize.QuadPart) + 7) / 8);
  EXPECT_EQ(client.FsControl(volume, FSCTL_GET_VOLUME_BITMAP, &start, sizeof start, bitmap.data(), 24, &bytes),
            STATUS_BUFFER_OVERFLOW);

  std::vector<char> statistics(64 * 1024);
  EXPECT_EQ(client.FsControl(volume, FSCTL_FILESYSTEM_GET_STATISTICS, nullptr, 0, statistics.data(), 64 * 1024, &bytes),
            STATUS_SUCCESS);
  const auto* common = reinterpret_cast<const FILESYSTEM_STATISTICS*>(statistics.data());
  EXPECT_EQ(common->FileSystemType, FILESYSTEM_STATISTICS_TYPE_FAT);
  ASSERT_GE(common->SizeOfCompleteStructure, sizeof(FILESYSTEM_STATISTICS) + sizeof(FAT_STATISTICS));
  ULONG creates = 0;
  for (size_t at = 0; at < bytes; at += common->SizeOfCompleteStructure)
    creates +=
        reinterpret_cast<const FAT_STATISTICS*>(statistics.data() + at + sizeof(FILESYSTEM_STATISTICS))->CreateHits;
  EXPECT_GE(creates, 2u);

  struct {
    ULONG length;
    WCHAR text[8];
  } name{};
  const auto valid = [&](const char16_t* text) {
    name.length = static_cast<ULONG>(std::char_traits<char16_t>::length(text) * 2);
    std::memcpy(name.text, text, name.length);
    return client.FsControl(volume, FSCTL_IS_PATHNAME_VALID, &name, sizeof name);
  };
  EXPECT_EQ(valid(u"\\a\\b.c"), STATUS_SUCCESS);
  EXPECT_EQ(valid(u"\\a\\b*c"), STATUS_OBJECT_NAME_INVALID);
  EXPECT_EQ(client.FsControl(file, FSCTL_QUERY_RETRIEVAL_POINTERS), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(client.FsControl(volume, FSCTL_LOCK_VOLUME), STATUS_ACCESS_DENIED);
  client.Close(file);
  EXPECT_EQ(client.FsControl(volume, FSCTL_LOCK_VOLUME), STATUS_SUCCESS);
  EXPECT_EQ(client.FsControl(volume, FSCTL_UNLOCK_VOLUME), STATUS_SUCCESS);
  client.Close(volume);
}

TEST_F(FatTest, InvalidateVolumes_TakesTheVolumeAway) {
  Start();
  client_->Close(Open(u"\\file"));
  Stop();  // clean: what is taken away is not written
  Boot();
  Client& client = *client_;
  HANDLE file = Open(u"\\file", kSynchronous, FILE_READ_DATA);
  HANDLE none = nullptr;
  const std::u16string volume = client.volume;
  client.volume.clear();
  HANDLE system = Open(u"\\Fat", kSynchronous, FILE_READ_DATA);
  EXPECT_EQ(client.FsControl(system, FSCTL_INVALIDATE_VOLUMES, &file, sizeof file), STATUS_SUCCESS);
  auto* iosb = client.New<IO_STATUS_BLOCK>();
  auto* data = client.New<char>(512);
  auto* offset = client.New<LARGE_INTEGER>();
  client.Enter([&] {
    EXPECT_EQ(nt::io::NtReadFile(file, nullptr, nullptr, nullptr, iosb, data, 512, offset, nullptr),
              STATUS_VOLUME_DISMOUNTED);
  });
  client.Close(file);
  client.Close(system);
  client.volume = volume;
  EXPECT_EQ(client.Open(u"\\file", &none, FILE_READ_DATA, 7, FILE_OPEN), STATUS_SUCCESS);  // mounted anew
  client.Close(none);
}

}  // namespace
}  // namespace fat_test
