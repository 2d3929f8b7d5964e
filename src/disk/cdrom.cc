// A CD-ROM drive with an image in it: its device objects, and IOCTL_CDROM_*. The image is one data track of 2048-byte
// sectors, as an .iso file has it; there is no audio and no raw sector, and one session.
//
// File systems see \Device\CdRom<n>. Below it lies an device with a generated name in the place of the storage port's,
// which owns the queue as \Device\Harddisk<n>\DR<n> does for a disk.
#include <algorithm>
#include <cstddef>

#include "ntddcdrm.h"
#include "src/disk/device.h"
#include "src/disk/state.h"

namespace nt::disk {
namespace {

constexpr UCHAR kLeadOut = 0xAA, kDataTrack = 4, kAdrPosition = 1;
constexpr uint32_t kFramesPerSecond = 75, kFirstFrame = 150;  // the two seconds before sector 0

uint32_t LeadOut(const Disk& disk) {
  return static_cast<uint32_t>(std::min<uint64_t>(disk.bytes() / disk.sector_bytes(), MAXLONG));
}

/// Minute, second and frame of a sector; what lies behind the last that the form can say is said as drives say it.
void PutAddress(UCHAR (&address)[4], uint32_t sector, bool msf) {
  if (!msf) {
    for (int i = 0; i < 4; i++) address[i] = static_cast<UCHAR>(sector >> (24 - 8 * i));
    return;
  }
  constexpr uint32_t kLast = 256 * 60 * kFramesPerSecond - 1;
  const uint32_t frame = sector < kLast - kFirstFrame ? sector + kFirstFrame : kLast;
  address[0] = 0;
  address[1] = static_cast<UCHAR>(frame / kFramesPerSecond / 60);
  address[2] = static_cast<UCHAR>(frame / kFramesPerSecond % 60);
  address[3] = static_cast<UCHAR>(frame % kFramesPerSecond);
}

TRACK_DATA Track(UCHAR number, uint32_t sector, bool msf) {
  TRACK_DATA track = {};
  track.Control = kDataTrack;
  track.Adr = kAdrPosition;
  track.TrackNumber = number;
  PutAddress(track.Address, sector, msf);
  return track;
}

/// As much of `bytes` as fits; the length field tells the whole.
NTSTATUS ReturnToc(Control& control, const void* toc, size_t bytes) {
  if (control.output_bytes < 4) return STATUS_BUFFER_TOO_SMALL;
  control.information = std::min<size_t>(bytes, control.output_bytes);
  __builtin_memcpy(control.buffer, toc, control.information);
  return STATUS_SUCCESS;
}

/// The track, and the lead-out behind it. @param first_track  tracks before it are left out
NTSTATUS ReadToc(Control& control, bool msf, UCHAR first_track) {
  if (first_track > 1 && first_track != kLeadOut) return STATUS_INVALID_DEVICE_REQUEST;
  CDROM_TOC toc = {};
  toc.FirstTrack = toc.LastTrack = 1;
  unsigned count = 0;
  if (first_track <= 1) toc.TrackData[count++] = Track(1, 0, msf);
  toc.TrackData[count++] = Track(kLeadOut, LeadOut(control.device.disk()), msf);
  const size_t bytes = offsetof(CDROM_TOC, TrackData) + count * sizeof(TRACK_DATA);
  toc.Length[1] = static_cast<UCHAR>(bytes - sizeof(toc.Length));
  return ReturnToc(control, &toc, bytes);
}

NTSTATUS ReadSession(Control& control, bool msf) {
  CDROM_TOC_SESSION_DATA session = {};
  session.Length[1] = sizeof(session) - sizeof(session.Length);
  session.FirstCompleteSession = session.LastCompleteSession = 1;
  session.TrackData[0] = Track(1, 0, msf);
  return ReturnToc(control, &session, sizeof(session));
}

NTSTATUS ReadTocEx(Control& control) {
  if (control.input_bytes < sizeof(CDROM_READ_TOC_EX)) return STATUS_INFO_LENGTH_MISMATCH;
  CDROM_READ_TOC_EX request;
  __builtin_memcpy(&request, control.buffer, sizeof(request));
  switch (request.Format) {
    case CDROM_READ_TOC_EX_FORMAT_TOC:
      return ReadToc(control, request.Msf, request.SessionTrack);
    case CDROM_READ_TOC_EX_FORMAT_SESSION:
      return ReadSession(control, request.Msf);
    default:
      return STATUS_INVALID_DEVICE_REQUEST;  // an image keeps no lead-in
  }
}

}  // namespace

Status Disk::CreateCdRomDevices(PDRIVER_OBJECT driver, ULONG number, const std::u16string& digits) {
  number_ = number;
  raw_ = std::make_unique<Device>(*this, DeviceKind::kDisk, 0, bytes_);
  volume_ = std::make_unique<Device>(*this, DeviceKind::kVolume, 0, bytes_);
  NT_TRY(CreateDevice(driver, *raw_, {}));
  NT_TRY(CreateDevice(driver, *volume_, u"\\Device\\CdRom" + digits));
  return AddLink(u"\\??\\CdRom" + digits, volume_->name());
}

NTSTATUS CdRomControl(Control& control) {
  Disk& disk = control.device.disk();
  if (!disk.options().cdrom) return STATUS_INVALID_DEVICE_REQUEST;
  switch (control.code) {
    case IOCTL_CDROM_CHECK_VERIFY:
      return CheckVerify(control);
    case IOCTL_CDROM_GET_DRIVE_GEOMETRY:
      return control.Return(disk.Geometry());
    case IOCTL_CDROM_READ_TOC:
      return ReadToc(control, true, 0);
    case IOCTL_CDROM_READ_TOC_EX:
      return ReadTocEx(control);
    case IOCTL_CDROM_GET_LAST_SESSION:
      return ReadSession(control, false);
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace nt::disk
