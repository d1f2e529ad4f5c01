// The version of this firmware, and the hash of what it was built from, which the Makefile gives.
#pragma once

#define FIRMWARE_VERSION 1, 0, 0

#ifndef FIRMWARE_BUILD
#define FIRMWARE_BUILD 0, 0, 0, 0, 0, 0, 0, 0
#endif
