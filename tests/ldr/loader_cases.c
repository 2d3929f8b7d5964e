// What the loader has to get right: relocations, imports of routines and variables, sections, the security cookie.
#include "cases.h"

static int one = 1, two = 2;
static int *const volatile table[] = {&one, &two};  // base relocations

IMPORT U64 wcslen(const unsigned short *);
IMPORT int _wcsnicmp(const unsigned short *, const unsigned short *, U64);

CASE(Relocations_PointAtOurs, 12) { return *table[0] * 10 + *table[1]; }
CASE(Import_Routine, 5) { return TestAdd(2, 3); }
CASE(Import_Variable, 0x1234) { return (long long)*TestVariable; }
CASE(Import_CrtRoutine, 3) {
  static const unsigned short text[] = {'a', 'B', 'c', 0}, other[] = {'A', 'b', 'C', 0};
  return _wcsnicmp(text, other, 3) == 0 ? (long long)wcslen(text) : -1;
}
static int zeroes[5000];
CASE(Bss_IsZero, 0) {
  int sum = 0;
  for (int i = 0; i < 5000; i++) sum |= zeroes[i];
  return sum;
}
// A frame larger than a page: __chkstk.
static __attribute__((noinline)) int Big(volatile char *p, int n) {
  volatile char buffer[20000];
  for (int i = 0; i < 20000; i += 1000) buffer[i] = (char)(i / 1000 + n);
  return buffer[19000] + (p ? *p : 0);
}
CASE(LargeFrame_ProbesStack, 20) { return Big(0, 1); }

#ifdef NEEDS_EXPORTER
IMPORT int ExporterAnswer(void);
IMPORT extern int ExporterVariable;
CASE(Import_FromOtherDriver, 49) { return ExporterAnswer() + ExporterVariable; }
#endif
#ifdef NEEDS_MISSING
IMPORT int TestMissing(void);
IMPORT int TestMissingToo(void);
EXPORT int call_missing(int which) { return which ? TestMissingToo() : TestMissing(); }
#endif
#ifdef NEEDS_MISSING_DATA
IMPORT extern int *TmTransactionObjectType;
EXPORT int read_missing(void) { return *TmTransactionObjectType; }
#endif
#ifdef NEEDS_COOKIE
extern U64 __security_cookie;
CASE(Cookie_IsSet, 1) { return __security_cookie != 0x2B992DDFA232 && __security_cookie != 0 && __security_cookie >> 48 == 0; }
#endif

__attribute__((section("INIT"))) long DriverEntry(void *driver, void *path) { return 0; }
__attribute__((section("INIT"))) EXPORT int in_init(void) { return 77; }
