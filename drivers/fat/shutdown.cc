// IRP_MJ_SHUTDOWN: every volume is written and marked clean; writes after that are too late.
#include "fat.h"

namespace fat {

NTSTATUS Shutdown(IrpContext&) {
  ForEachVolume([](Vcb& vcb) {
    if (vcb.state != VolumeState::kMounted || vcb.shutdown) return;
    FlushVolume(vcb, true);
    vcb.shutdown = true;
  });
  return STATUS_SUCCESS;
}

}  // namespace fat
