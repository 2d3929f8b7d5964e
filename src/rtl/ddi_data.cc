// Exported data: whether the code pages have lead bytes, which none here has.
#include "src/ldr/export.h"
#include "src/rtl/rtl.h"

extern "C" {
BOOLEAN NlsMbCodePageTag = FALSE;
BOOLEAN NlsMbOemCodePageTag = FALSE;
static USHORT no_lead_bytes[256];
PUSHORT NlsLeadByteInfo = no_lead_bytes;
PUSHORT NlsOemLeadByteInfo = no_lead_bytes;
}
NT_EXPORT_DATA(NlsMbCodePageTag)
NT_EXPORT_DATA(NlsMbOemCodePageTag)
NT_EXPORT_DATA(NlsLeadByteInfo)
NT_EXPORT_DATA(NlsOemLeadByteInfo)
