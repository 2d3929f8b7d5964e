// The security cookie of -fstack-protector-strong and /GS code. The loader sets it through the load configuration.
typedef unsigned long long UINT64;

UINT64 __security_cookie = 0x2B992DDFA232;
UINT64 __security_cookie_complement = ~0x2B992DDFA232ull;

/// IMAGE_LOAD_CONFIG_DIRECTORY64 as far as the cookie.
__attribute__((used)) const struct {
  unsigned Size;
  unsigned char Reserved[0x54];
  UINT64 *SecurityCookie;
  UINT64 SEHandlerTable, SEHandlerCount;
} _load_config_used = {0x70, {0}, &__security_cookie, 0, 0};

/// Ends the system as __fastfail does: KERNEL_SECURITY_CHECK_FAILURE, stack cookie.
void __report_gsfailure(UINT64 cookie) { __asm__ volatile("int $0x29" : : "c"(2)); }

void __security_check_cookie(UINT64 cookie) {
  if (cookie != __security_cookie) __report_gsfailure(cookie);
}
