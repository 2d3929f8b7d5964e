// A driver that others import from.
#include "cases.h"

EXPORT int ExporterAnswer(void) { return 42; }
EXPORT int ExporterVariable = 7;
