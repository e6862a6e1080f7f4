#ifndef REJOINDER_CZSTD_SHIM_H
#define REJOINDER_CZSTD_SHIM_H

#include <zstd.h>

#endif
