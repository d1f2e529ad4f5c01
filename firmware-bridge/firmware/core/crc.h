#pragma once

#include <stdint.h>

// CRC_BEGIN is where a sum begins. A sum over more bytes goes on from the one before; ~ of it is the CRC-32C.
#define CRC_BEGIN UINT32_C(0xFFFFFFFF)

// crc_add adds bytes to a sum that began as CRC_BEGIN.
uint32_t crc_add(uint32_t sum, const uint8_t *bytes, uint8_t count);
