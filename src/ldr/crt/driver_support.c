// Linked statically into drivers that ntio-cc builds, object by object as needed: what the compiler refers to by itself and
// Windows drivers get from their own libraries (the security cookie from BufferOverflowK.lib, and so on).

int _fltused = 0x9875;
