/* CRC-32C, the checksum of iSCSI, SCTP and the PROXY protocol (RFC 3720 appendix B.4, RFC 9260 appendix A). No protection
 * against intent. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/bytes.h"

/* Returns the checksum of all bytes so far, when `before` is that of those in front: 0 at first. */
uint32_t crc32c(uint32_t before, struct bytes bytes);

#endif
