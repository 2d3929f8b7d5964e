// Which exceptions a file system may turn into a status.
#include "src/fsrtl/fsrtl.h"

namespace nt::fsrtl {

bool IsNtstatusExpected(NTSTATUS exception) {
  switch (exception) {
    case STATUS_DATATYPE_MISALIGNMENT:
    case STATUS_ACCESS_VIOLATION:
    case STATUS_ILLEGAL_INSTRUCTION:
    case STATUS_INSTRUCTION_MISALIGNMENT:
      return false;
    default:
      return true;
  }
}

NTSTATUS NormalizeNtstatus(NTSTATUS exception, NTSTATUS generic) {
  return IsNtstatusExpected(exception) ? exception : generic;
}

bool IsTotalDeviceFailure(NTSTATUS status) {
  if (status >= 0) return false;
  switch (status) {
    // The medium failed in one place; the rest of the device may work.
    case STATUS_CRC_ERROR:
    case STATUS_DEVICE_DATA_ERROR:
      return false;
    default:
      return true;
  }
}

}  // namespace nt::fsrtl
