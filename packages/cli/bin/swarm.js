#!/usr/bin/env node
import '../dist/bin/swarm.js';
