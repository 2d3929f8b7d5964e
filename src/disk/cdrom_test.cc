// The CD-ROM drive: what CDFS and programs that read a table of contents ask of it.
#include "ntddcdrm.h"
#include "src/disk/test_disk.h"

namespace nt::disk {
namespace {

class CdRomTest : public DiskTest {
 protected:
  PDEVICE_OBJECT AddCdRom() {
    Options options = Defaults();
    options.cdrom = true;
    options.sector_bytes = 2048;
    return Add(options);
  }
  static constexpr uint32_t kSectors = kBytes / 2048;
};

TEST_F(CdRomTest, DeviceIsOneThatFileSystemsForCdRomsMountOn) {
  PutPartitions();  // of an image for USB sticks: a CD-ROM drive does not look at them
  PDEVICE_OBJECT drive = AddCdRom();
  ASSERT_TRUE(drive);
  EXPECT_EQ(u"\\Device\\CdRom0", DeviceName(drive));
  EXPECT_EQ(static_cast<DEVICE_TYPE>(FILE_DEVICE_CD_ROM), drive->DeviceType);
  EXPECT_EQ(2048, drive->SectorSize);
  EXPECT_EQ(static_cast<ULONG>(FILE_REMOVABLE_MEDIA | FILE_READ_ONLY_DEVICE),
            drive->Characteristics & (FILE_REMOVABLE_MEDIA | FILE_READ_ONLY_DEVICE));
  EXPECT_TRUE(drive->Vpb);
  EXPECT_TRUE(FindVolume(u"\\Device\\CdRom0"));
  DISK_GEOMETRY geometry;
  ASSERT_EQ(STATUS_SUCCESS, Ask(drive, IOCTL_CDROM_GET_DRIVE_GEOMETRY, &geometry));
  EXPECT_EQ(2048u, geometry.BytesPerSector);
  EXPECT_EQ(RemovableMedia, geometry.MediaType);
  EXPECT_EQ(STATUS_SUCCESS, Read(drive, back_, 2048, kBytes - 2048));
  EXPECT_EQ(STATUS_INVALID_PARAMETER, Read(drive, back_, 512, 0));
  EXPECT_EQ(STATUS_MEDIA_WRITE_PROTECTED, Write(drive, buffer_, 2048, 0));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(drive));
  // Disks count by themselves.
  Options whole = Defaults();
  whole.partition = 0;
  PDEVICE_OBJECT disk = Add(whole);
  EXPECT_EQ(u"\\Device\\HarddiskVolume1", DeviceName(disk));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(disk));
}

TEST_F(CdRomTest, TableOfContentsIsOneDataTrack) {
  PDEVICE_OBJECT drive = AddCdRom();
  union {
    CDROM_READ_TOC_EX request;
    CDROM_TOC toc;
  } both = {};
  Request linear(drive, IRP_MJ_DEVICE_CONTROL);
  ASSERT_EQ(STATUS_SUCCESS,
            linear.Control(IOCTL_CDROM_READ_TOC_EX, &both, sizeof(both.request), sizeof(both.toc)).Run());
  EXPECT_EQ(20u, linear.information());
  EXPECT_EQ(18, both.toc.Length[0] * 256 + both.toc.Length[1]);
  EXPECT_EQ(1, both.toc.FirstTrack);
  EXPECT_EQ(1, both.toc.LastTrack);
  EXPECT_EQ(1, both.toc.TrackData[0].TrackNumber);
  EXPECT_EQ(4, both.toc.TrackData[0].Control);
  EXPECT_EQ(0xAA, both.toc.TrackData[1].TrackNumber);
  EXPECT_EQ(kSectors, both.toc.TrackData[1].Address[2] * 256u + both.toc.TrackData[1].Address[3]);

  CDROM_TOC time = {};
  ASSERT_EQ(STATUS_SUCCESS, Ask(drive, IOCTL_CDROM_READ_TOC, &time));
  EXPECT_EQ(2, time.TrackData[0].Address[2]);  // two seconds lie before the first sector
  const auto& end = time.TrackData[1].Address;
  EXPECT_EQ(kSectors + 150, (end[1] * 60u + end[2]) * 75 + end[3]);

  CDROM_TOC_SESSION_DATA session = {};
  ASSERT_EQ(STATUS_SUCCESS, Ask(drive, IOCTL_CDROM_GET_LAST_SESSION, &session));
  EXPECT_EQ(session.FirstCompleteSession, session.LastCompleteSession);

  ULONG changes = 99;
  ASSERT_EQ(STATUS_SUCCESS, Ask(drive, IOCTL_CDROM_CHECK_VERIFY, &changes));
  EXPECT_EQ(0u, changes);
  both.request = {};
  both.request.Format = CDROM_READ_TOC_EX_FORMAT_FULL_TOC;
  EXPECT_EQ(STATUS_INVALID_DEVICE_REQUEST,
            Request(drive, IRP_MJ_DEVICE_CONTROL)
                .Control(IOCTL_CDROM_READ_TOC_EX, &both, sizeof(both.request), sizeof(both.toc))
                .Run());
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(drive));
}

TEST_F(CdRomTest, DiskKnowsNoCdRomRequests) {
  PDEVICE_OBJECT disk = Add(Defaults());
  CDROM_TOC toc;
  EXPECT_EQ(STATUS_INVALID_DEVICE_REQUEST, Ask(disk, IOCTL_CDROM_READ_TOC, &toc));
  EXPECT_EQ(STATUS_SUCCESS, RemoveDisk(disk));
}

TEST_F(CdRomTest, RefusesOtherSectorsAndPartitions) {
  Options options = Defaults();
  options.cdrom = true;
  std::string why;
  EXPECT_EQ(STATUS_INVALID_PARAMETER, AddDisk(options, &why).status());
  EXPECT_NE(std::string::npos, why.find("2048"));
  options.sector_bytes = 2048;
  options.partition = 1;
  EXPECT_EQ(STATUS_INVALID_PARAMETER, AddDisk(options, &why).status());
  options = Defaults();
  options.sector_bytes = 3072;
  EXPECT_EQ(STATUS_INVALID_PARAMETER, AddDisk(options, &why).status());
}

}  // namespace
}  // namespace nt::disk
