// The disk driver by its requests: IRPs built by hand, sent to the device objects that AddDisk makes.
#include "src/disk/test_disk.h"

namespace nt::disk {
namespace {

TEST_F(DiskTest, DeviceObjectsAreAsFileSystemsExpect) {
  PDEVICE_OBJECT volume = Add(Defaults());
  ASSERT_TRUE(volume);
  EXPECT_EQ(static_cast<DEVICE_TYPE>(FILE_DEVICE_DISK), volume->DeviceType);
  EXPECT_TRUE(volume->Flags & DO_DIRECT_IO);
  EXPECT_FALSE(volume->Flags & DO_DEVICE_INITIALIZING);
  EXPECT_EQ(512, volume->SectorSize);
  ASSERT_TRUE(volume->Vpb);
  EXPECT_EQ(volume, volume->Vpb->RealDevice);
  EXPECT_FALSE(volume->Vpb->Flags & VPB_RAW_MOUNT);
  EXPECT_TRUE(RawDeviceOf(volume)->Vpb->Flags & VPB_RAW_MOUNT);
  EXPECT_EQ(u"\\Device\\HarddiskVolume1", DeviceName(volume));
  EXPECT_EQ(u"\\Device\\Harddisk0\\DR0", DeviceName(RawDeviceOf(volume)));
  EXPECT_EQ(u'D', DriveLetter(volume));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, WritesAndReads_CompletingAtDispatchLevel) {
  for (auto engine : {host::BlockEngine::kBest, host::BlockEngine::kThreads}) {
    Options options = Defaults();
    options.engine = engine;
    PDEVICE_OBJECT volume = Add(options);
    ASSERT_TRUE(volume);
    for (size_t i = 0; i < kBuffer; i++) buffer_[i] = static_cast<uint8_t>(i * 31 + i / 512);
    Request write(volume, IRP_MJ_WRITE);
    EXPECT_EQ(STATUS_SUCCESS, write.Transfer(buffer_, kBuffer, 4096).Run());
    EXPECT_EQ(kBuffer, write.information());
    EXPECT_EQ(DISPATCH_LEVEL, write.completion_irql());
    EXPECT_EQ(STATUS_SUCCESS, Read(volume, back_, kBuffer, 4096));
    EXPECT_EQ(0, std::memcmp(buffer_, back_, kBuffer));
    EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
  }
}

TEST_F(DiskTest, ManyRequestsThroughAShortQueue) {
  Options options = Defaults();
  options.queue_depth = 2;
  options.max_transfer_bytes = 1024;
  PDEVICE_OBJECT volume = Add(options);
  constexpr int kRequests = 16;
  constexpr ULONG kEach = kBuffer / kRequests;
  for (size_t i = 0; i < kBuffer; i++) buffer_[i] = static_cast<uint8_t>(i % 251);
  std::vector<std::unique_ptr<Request>> requests;
  for (ULONG i = 0; i < kRequests; i++) {
    requests.push_back(std::make_unique<Request>(volume, IRP_MJ_WRITE));
    requests.back()->Transfer(buffer_ + i * kEach, kEach, i * kEach).Send();
  }
  for (auto& request : requests) {
    EXPECT_EQ(STATUS_SUCCESS, request->Wait());
    EXPECT_EQ(kEach, request->information());
  }
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, back_, kBuffer, 0));
  EXPECT_EQ(0, std::memcmp(buffer_, back_, kBuffer));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, LongTransfersAreSplit) {
  Options options = Defaults();
  options.max_transfer_bytes = 4096;
  PDEVICE_OBJECT volume = Add(options);
  std::vector<std::pair<uint64_t, uint32_t>> pieces;
  SetFaultInjector(volume, [&](Operation, uint64_t offset, uint32_t bytes) {
    pieces.emplace_back(offset, bytes);
    return STATUS_SUCCESS;
  });
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 10 * 1024, 512));
  const std::vector<std::pair<uint64_t, uint32_t>> expected = {{512, 4096}, {4608, 4096}, {8704, 2048}};
  EXPECT_EQ(expected, pieces);
  SetFaultInjector(volume, nullptr);
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, BadTransfersAreRefused) {
  PDEVICE_OBJECT volume = Add(Defaults());
  PDEVICE_OBJECT raw = RawDeviceOf(volume);
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(volume, buffer_, 512, 100));
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(volume, buffer_, 100, 0));
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(volume, buffer_, 512, -512));
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(volume, buffer_, 1024, kBytes - 512));
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(volume, buffer_, 512, 0x7ffffffffffffe00));
  EXPECT_EQ(STATUS_NONEXISTENT_SECTOR, Read(raw, buffer_, 1024, kBytes - 512));
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 512, kBytes - 512));
  Request empty(volume, IRP_MJ_READ);
  EXPECT_EQ(STATUS_SUCCESS, empty.Run()) << "no bytes, no MDL";
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, ReadOnlyDiskRefusesWrites) {
  Options options = Defaults();
  options.read_only = true;
  PDEVICE_OBJECT volume = Add(options);
  EXPECT_EQ(STATUS_MEDIA_WRITE_PROTECTED, Write(volume, buffer_, 512, 0));
  EXPECT_EQ(STATUS_MEDIA_WRITE_PROTECTED,
            Request(volume, IRP_MJ_DEVICE_CONTROL).Control(IOCTL_DISK_IS_WRITABLE, nullptr, 0, 0).Run());
  EXPECT_EQ(STATUS_SUCCESS, Request(volume, IRP_MJ_FLUSH_BUFFERS).Run());
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 512, 0));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, ImageThatShrinks_IsADeviceError) {
  PDEVICE_OBJECT volume = Add(Defaults());
  Resize(kBytes / 2);
  EXPECT_EQ(STATUS_IO_DEVICE_ERROR, Read(volume, buffer_, 4096, kBytes - 4096));
  EXPECT_EQ(STATUS_IO_DEVICE_ERROR, Read(volume, buffer_, 4096, kBytes / 2 - 512));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, InjectedFaultsReachTheRequest) {
  Options options = Defaults();
  options.max_transfer_bytes = 4096;
  PDEVICE_OBJECT volume = Add(options);
  SetFaultInjector(volume, [](Operation operation, uint64_t offset, uint32_t) -> NTSTATUS {
    if (operation == Operation::kFlush) return STATUS_DEVICE_NOT_READY;
    return operation == Operation::kRead && offset == 8192 ? STATUS_DEVICE_DATA_ERROR : STATUS_SUCCESS;
  });
  Request read(volume, IRP_MJ_READ);
  EXPECT_EQ(STATUS_DEVICE_DATA_ERROR, read.Transfer(buffer_, 16384, 0).Run());
  EXPECT_EQ(0u, read.information());
  EXPECT_EQ(DISPATCH_LEVEL, read.completion_irql());
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 8192, 0));
  EXPECT_EQ(STATUS_SUCCESS, Write(volume, buffer_, 16384, 0));
  EXPECT_EQ(STATUS_DEVICE_NOT_READY, Request(volume, IRP_MJ_FLUSH_BUFFERS).Run());
  SetFaultInjector(volume, nullptr);
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 16384, 0));
  EXPECT_EQ(STATUS_SUCCESS, Request(volume, IRP_MJ_FLUSH_BUFFERS).Run());
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, WaitingRequestCanBeCancelled) {
  Options options = Defaults();
  options.queue_depth = 1;
  PDEVICE_OBJECT volume = Add(options);
  Request waiting(volume, IRP_MJ_READ);
  waiting.Transfer(buffer_, 512, 512);
  bool cancelled = false;
  // While the first piece is on its way to the host the queue is full, so the second request waits.
  SetFaultInjector(volume, [&](Operation, uint64_t offset, uint32_t) {
    if (offset == 0) {
      EXPECT_EQ(STATUS_PENDING, waiting.Send());
      EXPECT_FALSE(waiting.done());
      cancelled = io::CancelIrp(waiting.irp());
    }
    return STATUS_SUCCESS;
  });
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 512, 0));
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(STATUS_CANCELLED, waiting.Wait());
  SetFaultInjector(volume, nullptr);
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, WriteThroughIsFlushed) {
  PDEVICE_OBJECT volume = Add(Defaults());
  Request write(volume, IRP_MJ_WRITE);
  write.location()->Flags |= SL_WRITE_THROUGH;
  EXPECT_EQ(STATUS_SUCCESS, write.Transfer(buffer_, 4096, 0).Run());
  EXPECT_EQ(4096u, write.information());
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, RemovedDiskRefusesRequests) {
  PDEVICE_OBJECT volume = Add(Defaults());
  ob::ReferenceObject(volume);  // as an open file would
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
  EXPECT_EQ(STATUS_DEVICE_DOES_NOT_EXIST, Read(volume, buffer_, 512, 0));
  EXPECT_EQ(STATUS_SUCCESS, Request(volume, IRP_MJ_CLOSE).Run());
  EXPECT_EQ(STATUS_INVALID_PARAMETER, RemoveDisk(volume));
  ob::DereferenceObject(volume);
  PDEVICE_OBJECT again = Add(Defaults());
  ASSERT_TRUE(again) << "the image was given back";
  EXPECT_EQ(u"\\Device\\HarddiskVolume2", DeviceName(again));
}

TEST_F(DiskTest, PartitionIsAWindowOnTheDisk) {
  PutPartitions();
  Options options = Defaults();
  std::string why;
  EXPECT_EQ(STATUS_UNRECOGNIZED_MEDIA, AddDisk(options, &why).status());
  EXPECT_NE(std::string::npos, why.find("choose one")) << why;
  options.partition = 3;
  EXPECT_EQ(STATUS_UNRECOGNIZED_MEDIA, AddDisk(options, &why).status());
  options.partition = 2;
  PDEVICE_OBJECT volume = Add(options);
  ASSERT_TRUE(volume);
  std::memset(buffer_, 'p', 512);
  EXPECT_EQ(STATUS_SUCCESS, Write(volume, buffer_, 512, 512));
  std::memset(buffer_, 0, 512);
  EXPECT_EQ(STATUS_SUCCESS, Read(RawDeviceOf(volume), buffer_, 512, 257 * 512));
  EXPECT_EQ('p', buffer_[511]);
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(volume, buffer_, 512, 64 * 512)) << "past the partition";

  PARTITION_INFORMATION_EX information;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_DISK_GET_PARTITION_INFO_EX, &information));
  EXPECT_EQ(PARTITION_STYLE_MBR, information.PartitionStyle);
  EXPECT_EQ(256 * 512, information.StartingOffset.QuadPart);
  EXPECT_EQ(64 * 512, information.PartitionLength.QuadPart);
  EXPECT_EQ(2u, information.PartitionNumber);
  EXPECT_EQ(PARTITION_IFS, information.Mbr.PartitionType);
  EXPECT_TRUE(information.Mbr.RecognizedPartition);
  EXPECT_EQ(256u, information.Mbr.HiddenSectors);

  union {
    DRIVE_LAYOUT_INFORMATION_EX layout;
    char room[4096];
  };
  ASSERT_EQ(STATUS_SUCCESS, Ask(RawDeviceOf(volume), IOCTL_DISK_GET_DRIVE_LAYOUT_EX, &room));
  EXPECT_EQ(4u, layout.PartitionCount);
  EXPECT_EQ(0x12345678u, layout.Mbr.Signature);
  EXPECT_TRUE(layout.PartitionEntry[0].Mbr.BootIndicator);
  EXPECT_EQ(STATUS_BUFFER_TOO_SMALL, Ask(RawDeviceOf(volume), IOCTL_DISK_GET_DRIVE_LAYOUT_EX, &layout));

  VOLUME_DISK_EXTENTS extents;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS, &extents));
  EXPECT_EQ(256 * 512, extents.Extents[0].StartingOffset.QuadPart);
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, AnswersGeometryAndLength) {
  Options options = Defaults();
  options.sector_bytes = 4096;
  PDEVICE_OBJECT volume = Add(options);
  DISK_GEOMETRY geometry;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_DISK_GET_DRIVE_GEOMETRY, &geometry));
  EXPECT_EQ(4096u, geometry.BytesPerSector);
  EXPECT_EQ(FixedMedia, geometry.MediaType);
  GET_LENGTH_INFORMATION length;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_DISK_GET_LENGTH_INFO, &length));
  EXPECT_EQ(static_cast<LONGLONG>(kBytes), length.Length.QuadPart);
  UCHAR small;
  EXPECT_EQ(STATUS_BUFFER_TOO_SMALL, Ask(volume, IOCTL_DISK_GET_LENGTH_INFO, &small));
  EXPECT_EQ(STATUS_SUCCESS, Request(volume, IRP_MJ_DEVICE_CONTROL).Control(IOCTL_DISK_IS_WRITABLE, nullptr, 0, 0).Run());
  ULONG changes = 99;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_DISK_CHECK_VERIFY, &changes));
  EXPECT_EQ(0u, changes);
  STORAGE_DEVICE_NUMBER number;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_STORAGE_GET_DEVICE_NUMBER, &number));
  EXPECT_EQ(1u, number.PartitionNumber);
  EXPECT_EQ(STATUS_INVALID_DEVICE_REQUEST, Ask(volume, IOCTL_DISK_FORMAT_TRACKS, &number));
  VERIFY_INFORMATION verify = {};
  verify.Length = 65536;
  EXPECT_EQ(STATUS_SUCCESS, Request(volume, IRP_MJ_DEVICE_CONTROL).Control(IOCTL_DISK_VERIFY, &verify, sizeof(verify), 0).Run());
  verify.StartingOffset.QuadPart = kBytes;
  EXPECT_EQ(STATUS_NONEXISTENT_SECTOR,
            Request(volume, IRP_MJ_DEVICE_CONTROL).Control(IOCTL_DISK_VERIFY, &verify, sizeof(verify), 0).Run());
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, AnswersProperties) {
  PDEVICE_OBJECT volume = Add(Defaults());
  union {
    STORAGE_PROPERTY_QUERY query;
    STORAGE_DEVICE_DESCRIPTOR device;
    DEVICE_TRIM_DESCRIPTOR trim;
    DEVICE_SEEK_PENALTY_DESCRIPTOR seek;
    STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR alignment;
    char room[512];
  } u = {};
  auto ask = [&](STORAGE_PROPERTY_ID id, ULONG output) {
    u.query.PropertyId = id;
    u.query.QueryType = PropertyStandardQuery;
    return Request(volume, IRP_MJ_DEVICE_CONTROL).Control(IOCTL_STORAGE_QUERY_PROPERTY, &u, sizeof(u.query), output).Run();
  };
  ASSERT_EQ(STATUS_SUCCESS, ask(StorageDeviceProperty, sizeof(u)));
  EXPECT_STREQ("ntio", u.room + u.device.VendorIdOffset);
  ASSERT_EQ(STATUS_SUCCESS, ask(StorageDeviceProperty, sizeof(STORAGE_DESCRIPTOR_HEADER)));
  EXPECT_GT(u.device.Size, sizeof(STORAGE_DEVICE_DESCRIPTOR));
  ASSERT_EQ(STATUS_SUCCESS, ask(StorageDeviceTrimProperty, sizeof(u)));
  EXPECT_FALSE(u.trim.TrimEnabled);
  ASSERT_EQ(STATUS_SUCCESS, ask(StorageDeviceSeekPenaltyProperty, sizeof(u)));
  EXPECT_FALSE(u.seek.IncursSeekPenalty);
  ASSERT_EQ(STATUS_SUCCESS, ask(StorageAccessAlignmentProperty, sizeof(u)));
  EXPECT_EQ(512u, u.alignment.BytesPerLogicalSector);
  EXPECT_EQ(STATUS_NOT_SUPPORTED, ask(StorageMiniportProperty, sizeof(u)));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, AnswersTheMountManager) {
  PDEVICE_OBJECT volume = Add(Defaults());
  union {
    MOUNTDEV_NAME name;
    MOUNTDEV_SUGGESTED_LINK_NAME link;
    char room[256];
  } u = {};
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_MOUNTDEV_QUERY_DEVICE_NAME, &u.room));
  EXPECT_EQ(u"\\Device\\HarddiskVolume1",
            std::u16string(reinterpret_cast<char16_t*>(u.name.Name), u.name.NameLength / 2));
  Request small(volume, IRP_MJ_DEVICE_CONTROL);
  EXPECT_EQ(STATUS_BUFFER_OVERFLOW,
            small.Control(IOCTL_MOUNTDEV_QUERY_DEVICE_NAME, &u, 0, sizeof(MOUNTDEV_NAME)).Run());
  EXPECT_EQ(46, u.name.NameLength);
  EXPECT_EQ(sizeof(MOUNTDEV_NAME), small.information());
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_MOUNTDEV_QUERY_SUGGESTED_LINK_NAME, &u.room));
  EXPECT_EQ(28, u.link.NameLength);
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, OfflineVolumeDoesNoTransfers) {
  PDEVICE_OBJECT volume = Add(Defaults());
  auto control = [&](ULONG code) { return Request(volume, IRP_MJ_DEVICE_CONTROL).Control(code, nullptr, 0, 0).Run(); };
  EXPECT_EQ(STATUS_SUCCESS, control(IOCTL_VOLUME_OFFLINE));
  EXPECT_EQ(STATUS_SUCCESS, control(IOCTL_VOLUME_IS_OFFLINE));
  EXPECT_EQ(STATUS_DEVICE_OFF_LINE, Read(volume, buffer_, 512, 0));
  EXPECT_EQ(STATUS_SUCCESS, control(IOCTL_VOLUME_ONLINE));
  EXPECT_EQ(STATUS_SUCCESS, Read(volume, buffer_, 512, 0));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, MediaChangeAsksForVerification) {
  Options options = Defaults();
  PDEVICE_OBJECT fixed = Add(options);
  EXPECT_EQ(STATUS_INVALID_DEVICE_REQUEST, NotifyMediaChange(fixed));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(fixed));
  options.removable = true;
  PDEVICE_OBJECT volume = Add(options);
  EXPECT_TRUE(volume->Characteristics & FILE_REMOVABLE_MEDIA);
  volume->Vpb->Flags |= VPB_MOUNTED;
  EXPECT_EQ(STATUS_SUCCESS, NotifyMediaChange(volume));
  EXPECT_EQ(STATUS_VERIFY_REQUIRED, Read(volume, buffer_, 512, 0));
  Request forced(volume, IRP_MJ_READ);
  forced.location()->Flags |= SL_OVERRIDE_VERIFY_VOLUME;
  EXPECT_EQ(STATUS_SUCCESS, forced.Transfer(buffer_, 512, 0).Run());
  volume->Flags &= ~static_cast<ULONG>(DO_VERIFY_VOLUME);
  volume->Vpb->Flags &= ~VPB_MOUNTED;
  ULONG changes = 0;
  ASSERT_EQ(STATUS_SUCCESS, Ask(volume, IOCTL_STORAGE_CHECK_VERIFY, &changes));
  EXPECT_EQ(1u, changes);
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, TargetRelationIsTheDeviceItself) {
  PDEVICE_OBJECT volume = Add(Defaults());
  Request request(volume, IRP_MJ_PNP);
  request.location()->MinorFunction = IRP_MN_QUERY_DEVICE_RELATIONS;
  request.location()->Parameters.QueryDeviceRelations.Type = TargetDeviceRelation;
  request.irp()->IoStatus.Status = STATUS_NOT_SUPPORTED;
  ASSERT_EQ(STATUS_SUCCESS, request.Run());
  auto* relations = reinterpret_cast<PDEVICE_RELATIONS>(request.information());
  EXPECT_EQ(1u, relations->Count);
  EXPECT_EQ(volume, relations->Objects[0]);
  ob::DereferenceObject(relations->Objects[0]);
  ex::FreePool(relations);
  Request other(volume, IRP_MJ_PNP);
  other.location()->MinorFunction = IRP_MN_QUERY_ID;
  other.irp()->IoStatus.Status = STATUS_NOT_SUPPORTED;
  EXPECT_EQ(STATUS_NOT_SUPPORTED, other.Run());
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, BadOptionsAreExplained) {
  std::string why;
  Options options = Defaults();
  options.sector_bytes = 1536;
  EXPECT_EQ(STATUS_INVALID_PARAMETER, AddDisk(options, &why).status());
  options = Defaults();
  options.max_transfer_bytes = 1000;
  EXPECT_EQ(STATUS_INVALID_PARAMETER, AddDisk(options, &why).status());
  options = Defaults();
  options.path += ".none";
  EXPECT_EQ(STATUS_OBJECT_NAME_NOT_FOUND, AddDisk(options, &why).status());
  EXPECT_NE(std::string::npos, why.find("No such file")) << why;
  PDEVICE_OBJECT volume = Add(Defaults());
  EXPECT_EQ(STATUS_SHARING_VIOLATION, AddDisk(Defaults(), &why).status());
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(volume));
}

TEST_F(DiskTest, ManyBootsLeaveNothing) {
  for (int i = 0; i < 20; i++) {
    ASSERT_TRUE(Add(Defaults()));  // removed by Shutdown
    disk::Shutdown();
    ASSERT_EQ(STATUS_SUCCESS, disk::Boot());
  }
}

}  // namespace
}  // namespace nt::disk
