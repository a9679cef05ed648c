#!/usr/bin/env node
import '../dist/bin/coordinator.js';
