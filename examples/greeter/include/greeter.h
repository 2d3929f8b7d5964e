/* What the driver and its users share. */
#define GREETER_DEVICE_NAME u"\\Device\\Greeter"
